"""The embedded data sets as TFDS data sets on disk."""

import os
import shutil
import sys
import typing

import numpy as np
import tensorflow_datasets as tfds

from keras_sagan.data.sources import glyphs, shapes, tfds_files
from keras_sagan.data.sources.tfds import messages_on_stderr
from keras_sagan.data.storage import data_dir, writable_dir

# Another version of a rendering must get another number here.
VERSION = "1.0.0"


class _Drawn(typing.NamedTuple):
    """An embedded data set: how it is drawn, and what it is called."""

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
    """A TFDS builder of an embedded data set at one size; draws it on first use.

    TFDS writes into a directory of its own and renames it when it is complete, so
    an interrupted build leaves nothing that a later one would read, and of two
    processes that build at once one wins.

    Args:
        name: "glyphs" or "shapes".
        image_size: int. Height and width in pixels.
        cache_dir: str or `None`. TFDS data directory (see `storage`).

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
    """Writes the TFDS directory with TFDS's own writer."""
    # TFDS renames whole directories only, so what is there but incomplete was damaged
    # later. In this order: another process may finish between the two questions.
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
        if not _complete(directory):  # else another process was faster
            raise


def _examples(drawn, split, count, image_size):
    """Yields `(key, example)` of a split."""
    for index in range(count):
        image, label = drawn.render(split, index, image_size)
        yield index, {"image": image, "label": label}
