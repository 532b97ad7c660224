"""Loads a data set by its name."""

import difflib
import os

from keras_sagan.data import slicing
from keras_sagan.data.images import FITS, MODES
from keras_sagan.data.pictures import open_examples
from keras_sagan.data.source import SEEDS, Source, check_integer, check_parts
from keras_sagan.data.storage import data_dir

EMBEDDED = ("glyphs", "shapes")
KINDS = (
    *EMBEDDED,
    "tfds:NAME",
    "folder:PATH",
    "npz:PATH",
    "hf:NAME",
    "wds:PATH",
    "tfrecord:PATH",
)
_PREFIXES = tuple(kind.partition(":")[0] for kind in KINDS if ":" in kind)
# From the extension of a file to the kind of source.
_ENDINGS = {".npz": "npz", ".tar": "wds", ".tfrecord": "tfrecord"}

_SIZES = (8, 2048)  # smallest and largest image size in pixels


def load(
    name,
    image_size=32,
    batch_size=64,
    split="train",
    seed=0,
    channels=None,
    cache_dir=None,
    fit="crop",
    label_sampling="natural",
    data_memory=1.0,
    parts=1,
):
    """Loads a split of a data set, with all images at one size.

    If the decoded images fit into `data_memory`, they are decoded immediately. Those of
    a larger data set stay in their files and are decoded when they are needed, if they
    can be read in any order. Arrays and the TFRecord files of TFDS cannot; they are
    decoded into a temporary file. The stream of examples is the same in all cases.

    Args:
        name: str. One of:

            - "glyphs": built-in images of the ten digits in bright colours on black.
            - "shapes": built-in images of two matching objects far apart (see
              `sources.shapes`).
            - "tfds:NAME": a TFDS data set, optionally with config and version, that
              has a feature "image", and "label" if there are classes.
            - "tfds:PATH": the directory of a TFDS data set, e.g. one written by
              `keras-sagan data prepare`.
            - "folder:PATH": a folder with a subfolder for each class, with pictures
              and a `labels.csv` or `dataset.json` (see `sources.label_files`), or with
              unlabelled pictures.
            - "npz:PATH": a NumPy file, or "npz:PATH:images=NAME,labels=NAME" if its
              arrays have other names (see `sources.npz`).
            - "hf:NAME": a Hugging Face data set, either the folder of one or its name
              on the Hub (see `sources.hugging_face`).
            - "wds:PATH": WebDataset shards (see `sources.webdataset`).
            - "tfrecord:PATH": TFRecord files of encoded pictures (see
              `sources.tfrecord`).
        image_size: int. Height and width in pixels, from 8 to 2048. Pictures of other
            sizes are made square and resized (see `images.to_array`).
        batch_size: int. Number of examples in a batch; at most that of all examples.
        split: str. "train" or "test" for built-in data sets, and any split of TFDS and
            Hugging Face data sets. Folders and files have one split, "train". Slices
            such as "train[:90%]" are possible for all.
        seed: int in [0, 2**32). Determines the order of the stream.
        channels: 1 (grey), 3 (RGB), 4 (RGBA), or `None` for the channels of the data
            set, which are those of TFDS data sets and arrays, and otherwise 3.
        cache_dir: str or `None`. Directory for TFDS files and for the temporary file.
            Defaults to the environment variable TFDS_DATA_DIR or
            "~/tensorflow_datasets".
        fit: "crop" or "pad". Whether pictures that are not square are cropped to their
            centre or get black borders.
        label_sampling: "natural" or "balanced". Whether every epoch shows every example
            once, or the stream shows all classes equally often.
        data_memory: float. GiB of memory that decoded images may take.
        parts: int. Number of ranges of examples, each of which is shown in other rows
            of a batch, so that several workers open only files of their own ranges (see
            `Source`). It must divide `batch_size`.

    Returns:
        `Source`.

    Raises:
        ValueError: if an argument or the content of the data set is not as described.
        TypeError: if an argument has the wrong type.
        OSError: if a folder or a file cannot be read.
        RuntimeError: if a data set cannot be downloaded.
        ImportError: if a package of an extra is missing.

    Example:
        source = keras_sagan.data.load("glyphs", image_size=32, batch_size=64)
        images, labels = next(iter(source.dataset))
    """
    kind, rest, image_size, channels = parse_arguments(name, image_size, channels, fit)
    batch_size = check_integer("batch_size", batch_size, 1)
    seed = check_integer("seed", seed, *SEEDS)
    parts = check_parts(parts, batch_size)
    if not data_memory >= 0:
        raise ValueError(
            "`data_memory` must be a number of GiB of at least 0. "
            f"Received: data_memory={data_memory!r}."
        )
    pictures = open_pictures(kind, rest, split, image_size, cache_dir)
    channels, directory = channels or pictures.channels, data_dir(cache_dir)
    memory = data_memory * 2**30
    opened = open_examples(pictures, name, image_size, channels, fit, directory, memory)
    return Source(name, split, batch_size, seed, opened, label_sampling, parts)


def open_pictures(kind, rest, split, image_size, cache_dir):
    """Opens the data set of a parsed name (see `parse_name`) as `Pictures`.

    Raises:
        The same errors as `load`, except for those about single pictures.
    """
    if kind in EMBEDDED or kind == "tfds":
        from keras_sagan.data.sources import tfds

        return tfds.open_pictures(_builder(kind, rest, image_size, cache_dir), split)
    return slicing.take(_splits(kind, rest), split, f"{kind}:{rest}")


def _splits(kind, rest):
    """Opens the splits of another kind of source: dict from names to `Pictures`."""
    if kind == "hf":
        from keras_sagan.data.sources import hugging_face

        return hugging_face.open_splits(rest)
    if kind == "folder":
        from keras_sagan.data.sources import folder as source
    elif kind == "npz":
        from keras_sagan.data.sources import npz as source
    elif kind == "wds":
        from keras_sagan.data.sources import webdataset as source
    else:
        from keras_sagan.data.sources import tfrecord as source
    return {"train": source.open_pictures(rest)}


def _builder(kind, rest, image_size, cache_dir):
    """Returns the prepared TFDS builder of a built-in or a TFDS data set."""
    if kind in EMBEDDED:
        from keras_sagan.data.sources import embedded

        return embedded.prepared_builder(kind, image_size, cache_dir)
    from keras_sagan.data.sources import tfds

    return tfds.prepared_builder(rest, cache_dir)


def parse_arguments(name, image_size, channels, fit):
    """Checks the arguments that determine what is decoded, and how.

    Returns:
        Tuple `(kind, rest, image_size, channels)` of the parsed name (see
        `parse_name`), an int, and an int or `None`.

    Raises:
        ValueError, TypeError: as for `load`.
    """
    kind, rest = parse_name(name)
    image_size = check_integer("image_size", image_size, *_SIZES)
    if channels is not None:
        channels = check_integer("channels", channels, min(MODES), max(MODES))
        if channels not in MODES:
            raise ValueError(
                f"`channels` must be one of {sorted(MODES)} or None. "
                f"Received: channels={channels!r}."
            )
    if fit not in FITS:
        raise ValueError(f"`fit` must be one of {FITS}. Received: fit={fit!r}.")
    return kind, rest, image_size, channels


def parse_name(name):
    """Splits the name of a data set into its kind and the rest.

    Args:
        name: str. See `load`.

    Returns:
        `(kind, argument)`: `("glyphs", "")`, `("tfds", NAME)`, `("folder", PATH)`.

    Raises:
        TypeError: if it is not a str.
        ValueError: if the kind is unknown. The message suggests the most similar one.
    """
    if not isinstance(name, str):
        raise TypeError(f"`name` must be a str. Received: name={name!r}.")
    kind, _, rest = name.partition(":")
    if name in EMBEDDED or (kind in _PREFIXES and rest):
        return kind, rest
    raise ValueError(
        f"`name` must be one of {', '.join(map(repr, KINDS))}.{_hint(name, kind)} "
        f"Received: name={name!r}."
    )


def _hint(name, kind):
    """Returns " Did you mean ...?" if the name resembles a valid one, else ""."""
    if os.path.isdir(name):
        return f" Did you mean 'folder:{name}'?"
    for ending, wanted in _ENDINGS.items():
        if name.endswith(ending):
            return f" Did you mean '{wanted}:{name}'?"
    known = [known.partition(":")[0] for known in KINDS]
    nearest = difflib.get_close_matches(kind.lower(), known, n=1)
    if nearest:
        full = next(known for known in KINDS if known.startswith(nearest[0]))
        return f" Did you mean {full!r}?"
    return f" A TFDS data set is 'tfds:{name}'." if ":" not in name else ""
