"""Use self-attention and spectral normalisation in a model that is not a GAN.

The layers use `keras.ops` only, so this program also runs on the JAX backend of Keras
(`KERAS_BACKEND=jax`).
"""

import argparse

import keras
import numpy as np

from keras_sagan.layers import SelfAttention2D, SpectralNormalization


def classifier(num_classes):
    """Builds a small convolutional classifier with attention in the middle."""
    images = keras.Input((32, 32, 3))
    conv = keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")
    x = SpectralNormalization(conv)(images)
    x = SelfAttention2D(name="attention")(x)  # (batch, 16, 16, 16)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, keras.layers.Dense(num_classes)(x))


def main():
    """Trains the classifier on random stripes and prints facts about a map."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()

    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 256)  # 0: horizontal stripes, 1: vertical stripes
    stripes = rng.integers(0, 2, (256, 32)).astype("float32")
    images = np.where(labels[:, None, None], stripes[:, None], stripes[:, :, None])
    images = np.repeat(images[..., None], 3, axis=-1)

    model = classifier(2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    model.fit(images, labels, epochs=options.epochs, verbose=2)

    attention = model.get_layer("attention")
    x = model.layers[1](images[:1])
    _, scores = attention(x, return_attention_scores=True)
    print("map:", scores.shape, "rows sum to", float(scores[0, 0].numpy().sum()))


if __name__ == "__main__":
    main()
