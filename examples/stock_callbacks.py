"""Train with `fit` and Keras's own callbacks, like any Keras model."""

import argparse
import pathlib

import keras

import keras_sagan as ks


def main():
    """Trains for a few epochs and writes checkpoints and a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--output", type=pathlib.Path, default="stock_callbacks")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    keras.utils.set_random_seed(0)
    source = ks.data.load("glyphs", image_size=32, batch_size=16)
    networks = {"num_classes": source.num_classes, "base_filters": 8}
    gan = ks.SAGAN(
        ks.models.Generator(**networks),
        ks.models.Discriminator(**networks),
        class_names=source.class_names,
    )
    gan.compile()
    gan.fit(
        source.dataset,
        epochs=options.epochs,
        steps_per_epoch=4,
        callbacks=[
            keras.callbacks.ModelCheckpoint(options.output / "newest.keras"),
            # This sets the rate of the generator. That of the discriminator is scaled
            # by the same factor.
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.9 * rate),
            keras.callbacks.CSVLogger(options.output / "metrics.csv"),
            keras.callbacks.TerminateOnNaN(),
            ks.callbacks.SampleGrid(
                str(options.output / "step-{step}.png"),
                every=8,
                labels=list(range(10)),
                seeds=list(range(10)),
                columns=5,
            ),
        ],
        verbose=2,
    )

    again = keras.saving.load_model(options.output / "newest.keras")
    same = (again.generate(["7"]) == gan.generate(["7"])).all()
    print("the checkpoint draws the same pictures:", same)


if __name__ == "__main__":
    main()
