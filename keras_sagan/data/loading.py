"""`load`: a data set by name."""

import difflib
import os

from keras_sagan.data import slicing
from keras_sagan.data.images import FITS, MODES
from keras_sagan.data.pictures import open_examples
from keras_sagan.data.source import SEEDS, Source, check_integer
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
# What a file's name ends in -> what it is.
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
):
    """Loads a split of a data set, at one image size.

    Sets that fit into `data_memory` are decoded at once. Of larger ones the pictures
    stay in their files and are decoded when it is their turn, where they can be read
    in any order: all but TFDS's TFRecord files and arrays, which are decoded into a
    scratch file. The stream is the same.

    Args:
        name: str. Embedded data sets, drawn on first use: "glyphs", the ten digits in
            bright colours on black; "shapes", two objects far apart that match (see
            `shapes`). "tfds:NAME", with config and version where wanted: any TFDS
            data set with a feature "image", and "label" where it has classes;
            "tfds:PATH": the directory of one, e.g. what `keras-sagan data prepare`
            wrote. "folder:PATH": one subfolder a class, or pictures with a
            `labels.csv` or `dataset.json` (see `label_files`), or pictures alone.
            "npz:PATH": arrays, and "npz:PATH:images=NAME,labels=NAME" where they have
            other names (see `sources.npz`). "hf:NAME": a Hugging Face data set, the
            folder of one or a name on the Hub (see `sources.hugging_face`).
            "wds:PATH": WebDataset shards (see `sources.webdataset`). "tfrecord:PATH":
            TFRecord files of encoded pictures (see `sources.tfrecord`).
        image_size: int. Height and width in pixels, 8 to 2048. Other sizes are made
            square and resized with an antialiasing filter (see `images.to_array`).
        batch_size: int. Examples a batch, at most the number of examples.
        split: str. "train" or "test" for embedded sets, any split that there is for
            TFDS and Hugging Face data sets; folders and files are "train" as a whole.
            All with slices such as "train[:90%]".
        seed: int in [0, 2**32). Decides the order of the stream.
        channels: 1 (grey), 3 (RGB), 4 (RGBA) or `None`: the data set's own for TFDS,
            and for files of arrays, else 3.
        cache_dir: str or `None`. Directory for TFDS files and for the scratch file.
            Defaults to the environment variable TFDS_DATA_DIR, else
            "~/tensorflow_datasets".
        fit: "crop": pictures that are not square lose what is outside their centre.
            "pad": they get black borders.
        label_sampling: "natural": every epoch shows every example once. "balanced":
            every class is shown equally often.
        data_memory: float. GiB that decoded pictures may take in memory.

    Returns:
        `Source`.

    Raises:
        ValueError: if an argument or the data set's content is not as described.
        TypeError: if an argument has the wrong type.
        OSError: if a folder or a file cannot be read.
        RuntimeError: if a data set could not be downloaded.
        ImportError: if a package of an extra is missing.

    Example:
        source = keras_sagan.data.load("glyphs", image_size=32, batch_size=64)
        images, labels = next(iter(source.dataset))
    """
    kind, rest, image_size, channels = parse_arguments(name, image_size, channels, fit)
    batch_size = check_integer("batch_size", batch_size, 1)
    seed = check_integer("seed", seed, *SEEDS)
    if not data_memory >= 0:
        raise ValueError(
            "`data_memory` must be a number of GiB of at least 0. "
            f"Received: data_memory={data_memory!r}."
        )
    pictures = open_pictures(kind, rest, split, image_size, cache_dir)
    channels, directory = channels or pictures.channels, data_dir(cache_dir)
    memory = data_memory * 2**30
    opened = open_examples(pictures, name, image_size, channels, fit, directory, memory)
    return Source(name, split, batch_size, seed, opened, label_sampling)


def open_pictures(kind, rest, split, image_size, cache_dir):
    """The `Pictures` of a parsed name (see `parse_name`).

    Raises:
        As `load`, but for what the pictures themselves are.
    """
    if kind in EMBEDDED or kind == "tfds":
        from keras_sagan.data.sources import tfds

        return tfds.open_pictures(_builder(kind, rest, image_size, cache_dir), split)
    return slicing.take(_splits(kind, rest), split, f"{kind}:{rest}")


def _splits(kind, rest):
    """The splits of a parsed name of another kind: dict of name to `Pictures`."""
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
    """The prepared TFDS builder of a parsed name of an embedded set or of TFDS."""
    if kind in EMBEDDED:
        from keras_sagan.data.sources import embedded

        return embedded.prepared_builder(kind, image_size, cache_dir)
    from keras_sagan.data.sources import tfds

    return tfds.prepared_builder(rest, cache_dir)


def parse_arguments(name, image_size, channels, fit):
    """Checks the arguments that say what to decode.

    Returns:
        `(kind, rest, image_size, channels)`: the parsed name (see `parse_name`), int,
        and int or `None`.

    Raises:
        ValueError, TypeError: see `load`.
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
    """Splits a data set's name into kind and argument.

    Args:
        name: str. See `load`.

    Returns:
        `(kind, argument)`: `("glyphs", "")`, `("tfds", NAME)`, `("folder", PATH)`.

    Raises:
        TypeError: if it is not a str.
        ValueError: if it is none of the kinds; the nearest is suggested.
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
    """ " Did you mean ...?" where something is near, else ""."""
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
