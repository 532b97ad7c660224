"""Draws the built-in data sets and stores them as TFDS data sets."""

import os
import shutil
import sys
import typing

import numpy as np
import tensorflow_datasets as tfds

from keras_sagan.data.sources import glyphs, shapes, tfds_files
from keras_sagan.data.sources.tfds import messages_on_stderr
from keras_sagan.data.storage import data_dir, writable_dir

# This number must change if what is drawn changes.
VERSION = "1.0.0"


class _Drawn(typing.NamedTuple):
    """How a built-in data set is drawn and described."""

    render: typing.Callable
    split_sizes: dict[str, int]
    class_names: tuple[str, ...]
    description: str


_SETS = {
    "glyphs": _Drawn(
        glyphs.render,
        glyphs.SPLIT_SIZES,
        tuple(glyphs.DIGITS),
        "One large coloured digit on black; see keras_sagan.",
    ),
    "shapes": _Drawn(
        shapes.render,
        shapes.SPLIT_SIZES,
        shapes.CLASS_NAMES,
        "Two objects far apart, of one shape and colour, on black; see keras_sagan.",
    ),
}


def prepared_builder(name, image_size, cache_dir=None):
    """Returns a TFDS builder of a built-in data set, which is drawn on first use.

    TFDS writes into a temporary directory, which is renamed when it is complete.
    Therefore nobody reads the result of an interrupted build, and if two processes
    build the same data set, one of them wins.

    Args:
        name: "glyphs" or "shapes".
        image_size: int. Height and width in pixels.
        cache_dir: str or `None`. TFDS data directory; see `storage.data_dir`.

    Returns:
        Read-only `tfds.core.DatasetBuilder` with splits "train" and "test".
    """
    stored = f"keras_sagan_{name}"
    inner = os.path.join(stored, f"{image_size}px", VERSION)
    directory = os.path.join(data_dir(cache_dir), inner)
    if not _complete(directory):
        root = writable_dir(cache_dir)
        directory = os.path.join(root, inner)
        if not _complete(directory):
            _build(_SETS[name], stored, image_size, root, directory)
    tfds_files.check_directory(directory)
    return tfds.builder_from_directory(directory)


def _complete(directory):
    return os.path.exists(os.path.join(directory, "dataset_info.json"))


def _build(drawn, name, image_size, root, directory):
    """Writes the TFDS directory, with the writer of TFDS."""
    # TFDS renames complete directories only, so an incomplete one was damaged later.
    # The order of the conditions matters: another process may finish between them.
    if os.path.isdir(directory) and not _complete(directory):
        shutil.rmtree(directory)
    print(f"drawing {name} at {image_size} px into {directory}", file=sys.stderr)
    try:
        with messages_on_stderr():
            tfds.dataset_builders.store_as_tfds_dataset(
                name=name,
                config=f"{image_size}px",
                version=VERSION,
                data_dir=root,
                description=drawn.description,
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(
                            shape=(image_size, image_size, 3), dtype=np.uint8
                        ),
                        "label": tfds.features.ClassLabel(
                            names=list(drawn.class_names)
                        ),
                    }
                ),
                split_datasets={
                    split: _examples(drawn, split, count, image_size)
                    for split, count in drawn.split_sizes.items()
                },
                disable_shuffling=True,
            )
    except Exception:
        if not _complete(directory):  # otherwise another process was faster
            raise


def _examples(drawn, split, count, image_size):
    """Yields `(key, example)` of a split."""
    for index in range(count):
        image, label = drawn.render(split, index, image_size)
        yield index, {"image": image, "label": label}
