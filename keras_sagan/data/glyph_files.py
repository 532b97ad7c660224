"""The glyphs as a TFDS data set on disk."""

import contextlib
import os
import shutil
import sys

import numpy as np
import tensorflow_datasets as tfds

from keras_sagan.data import glyphs
from keras_sagan.data.storage import data_dir

NAME = "keras_sagan_glyphs"

# Another version of the rendering must get another number here.
VERSION = "1.0.0"


def prepared_builder(image_size, cache_dir=None):
    """A TFDS builder of the glyphs at one size; draws them on first use.

    TFDS writes into a directory of its own and renames it when it is complete, so
    an interrupted build leaves nothing that a later one would read, and of two
    processes that build at once one wins.

    Args:
        image_size: int. Height and width in pixels.
        cache_dir: str or `None`. TFDS data directory (see `storage`).

    Returns:
        Read-only `tfds.core.DatasetBuilder` with splits "train" and "test".
    """
    root = data_dir(cache_dir)
    directory = os.path.join(root, NAME, f"{image_size}px", VERSION)
    if not _complete(directory):
        _build(image_size, root, directory)
    return tfds.builder_from_directory(directory)


def _complete(directory):
    return os.path.exists(os.path.join(directory, "dataset_info.json"))


def _build(image_size, root, directory):
    """Writes the TFDS directory with TFDS's own writer."""
    # TFDS renames whole directories only, so what is there but incomplete was damaged
    # later. In this order: another process may finish between the two questions.
    if os.path.isdir(directory) and not _complete(directory):
        shutil.rmtree(directory)
    print(f"drawing the glyphs at {image_size} px into {directory}", file=sys.stderr)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            tfds.dataset_builders.store_as_tfds_dataset(
                name=NAME,
                config=f"{image_size}px",
                version=VERSION,
                data_dir=root,
                description="One large coloured digit on black; see keras_sagan.",
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(
                            shape=(image_size, image_size, 3), dtype=np.uint8
                        ),
                        "label": tfds.features.ClassLabel(names=list(glyphs.DIGITS)),
                    }
                ),
                split_datasets={
                    split: _examples(split, count, image_size)
                    for split, count in glyphs.SPLIT_SIZES.items()
                },
                disable_shuffling=True,
            )
    except Exception:
        if not _complete(directory):  # else another process was faster
            raise


def _examples(split, count, image_size):
    """Yields `(key, example)` of a split."""
    for index in range(count):
        image, label = glyphs.render(split, index, image_size)
        yield index, {"image": image, "label": label}
