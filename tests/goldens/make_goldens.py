"""Writes the files that later versions must be able to read.

Once for every version whose files differ, before it is released:

    python tests/goldens/make_goldens.py

The folder of a version that was released is never written again.
"""

import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1]))

import keras_sagan  # noqa: E402
from keras_sagan.runs import checkpoint_files, checkpoints  # noqa: E402
from tests import helpers  # noqa: E402


def trained_with_classes():
    """Class-conditional, with attention and Adam."""
    gan = helpers.tiny_gan()
    gan.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), ema_decay=0.5, seed=4)
    images, labels = helpers.images_and_labels(4)
    for _ in range(2):
        gan.train_step((tf.constant(images), tf.constant(labels)))
    return gan


def trained_without_classes():
    """Unconditional, grey, without attention, with momentum."""
    gan = helpers.tiny_gan(None, channels=1, attention=False)
    gan.compile(
        keras.optimizers.SGD(1e-3, momentum=0.5),
        keras.optimizers.SGD(1e-3, momentum=0.5),
        loss="wasserstein",
        discriminator_steps=2,
    )
    images, _ = helpers.images_and_labels(4, channels=1)
    for _ in range(2):
        gan.train_step(tf.constant(images))
    return gan


def main():
    """Write `tests/goldens/VERSION/`, which must not exist yet."""
    folder = FOLDER / keras_sagan.__version__
    folder.mkdir()
    with_classes, without = trained_with_classes(), trained_without_classes()
    with_classes.save(folder / "gan.keras")
    without.save_to_preset(folder / "preset")
    checkpoint_files.write(
        folder / "checkpoints",
        checkpoint_files.Checkpoint(without.step, checkpoints.snapshot(without), {}),
    )
    np.savez_compressed(
        folder / "images.npz",
        gan=with_classes.generate(labels=["red", 1, 2], seed=5, truncation=1.5),
        preset=without.generate(num_images=3, seed=5),
    )


if __name__ == "__main__":
    main()
