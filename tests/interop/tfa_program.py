"""Runs under TensorFlow 2.15 with TensorFlow Addons: trains a little, saves, predicts.

Usage: python tfa_program.py FOLDER. Writes `weights.h5`, `model.h5` and `out.npz`.
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

layers = tf.keras.layers
sn = tfa.layers.SpectralNormalization


def build():
    """A model with every kind of layer that TFA can wrap, and a nested one."""
    inner = tf.keras.Sequential(
        [
            layers.Input((8, 8, 4)),
            sn(layers.Conv2D(3, 3, padding="same")),
            layers.BatchNormalization(),
        ]
    )
    images = layers.Input((8, 8, 2))
    labels = layers.Input((), dtype="int32")
    h = sn(layers.Conv2D(4, 3, padding="same", activation="relu"))(images)
    h = inner(h)
    h = sn(layers.Conv2DTranspose(5, 4, strides=2, padding="same"))(h)
    h = layers.Flatten()(h)
    h = sn(layers.Dense(6, use_bias=False))(h)
    e = sn(layers.Embedding(7, 6))(labels)
    return tf.keras.Model([images, labels], layers.Dense(2)(h * e))


def main(folder):
    tf.keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    images = generator.normal(size=(8, 8, 8, 2)).astype("float32")
    labels = generator.integers(0, 7, 8).astype("int32")
    targets = generator.normal(size=(8, 2)).astype("float32")
    model = build()
    model.compile(tf.keras.optimizers.SGD(0.05), "mse")
    model.fit([images, labels], targets, epochs=4, verbose=0)
    model.save_weights(folder / "weights.h5")
    model.save(folder / "model.h5")
    outputs = model.predict([images, labels], verbose=0)
    np.savez(folder / "out.npz", images=images, labels=labels, outputs=outputs)


main(pathlib.Path(sys.argv[1]))
