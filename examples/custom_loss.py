"""Train with a custom loss: least squares with soft targets."""

import argparse

import keras
from keras import ops

import keras_sagan as ks


def discriminator_loss(real_logits, fake_logits):
    """Computes the loss of D, with targets 0.9 for real and -0.9 for fake images."""
    real, fake = ops.square(real_logits - 0.9), ops.square(fake_logits + 0.9)
    return ops.mean(real) + ops.mean(fake)


def generator_loss(fake_logits):
    """Computes the loss of G, whose images should have the logits of real ones."""
    return ops.mean(ops.square(fake_logits - 0.9))


def main():
    """Trains for a few steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=8)
    options = parser.parse_args()

    # Both are functions of logits that return a scalar. A program that loads the saved
    # model must register the loss under the same name first.
    loss = ks.losses.Loss(discriminator_loss, generator_loss)
    ks.losses.register("soft_least_squares", loss)

    keras.utils.set_random_seed(0)
    source = ks.data.load("glyphs", image_size=32, batch_size=16)
    networks = {"num_classes": source.num_classes, "base_filters": 8}
    gan = ks.SAGAN(ks.models.Generator(**networks), ks.models.Discriminator(**networks))
    gan.compile(loss="soft_least_squares", ema_decay=0.9)
    history = gan.fit(source.dataset, steps_per_epoch=options.steps, verbose=2)
    print("loss:", gan.get_compile_config()["loss"], history.history["d_loss"][-1])


if __name__ == "__main__":
    main()
