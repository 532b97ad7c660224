"""`load`: a data set by name."""

import difflib
import os

from keras_sagan.data.images import MODES
from keras_sagan.data.pipeline import SEEDS, Source, check_integer

KINDS = ("glyphs", "tfds:NAME", "folder:PATH")

_SIZES = (8, 2048)  # smallest and largest image size in pixels


def load(
    name,
    image_size=32,
    batch_size=64,
    split="train",
    seed=0,
    channels=None,
    cache_dir=None,
):
    """Loads a split of a data set, decoded at one image size.

    Args:
        name: str. "glyphs": the embedded data set, the ten digits in bright colours
            on black, drawn on first use. "tfds:NAME": any TFDS data set with a
            feature "image", and "label" where it has classes. "folder:PATH": a
            folder with one subfolder a class, or with the pictures themselves
            (unlabelled).
        image_size: int. Height and width in pixels, 8 to 2048. Other sizes are
            centre-cropped to a square and resized with an antialiasing filter
            (smaller pictures are enlarged).
        batch_size: int. Examples a batch, at most the number of examples.
        split: str. "train" or "test" for glyphs, any TFDS split for TFDS, both with
            slices such as "train[:90%]"; a folder has only "train", all of it.
        seed: int in [0, 2**32). Decides the order of the stream.
        channels: 1 (grey), 3 (RGB), 4 (RGBA) or `None`: the data set's own for TFDS,
            3 for glyphs and folders.
        cache_dir: str or `None`. Directory for TFDS files and for arrays over 1 GiB.
            Defaults to the environment variable TFDS_DATA_DIR, else
            "~/tensorflow_datasets".

    Returns:
        `Source`.

    Raises:
        ValueError: if an argument or the data set's content is not as described.
        TypeError: if an argument has the wrong type.
        OSError: if a folder or a file cannot be read.
        RuntimeError: if a TFDS data set could not be downloaded.

    Example:
        source = keras_sagan.data.load("glyphs", image_size=32, batch_size=64)
        images, labels = next(iter(source.dataset))
    """
    kind, rest, image_size, channels = parse_arguments(name, image_size, channels)
    batch_size = check_integer("batch_size", batch_size, 1)
    seed = check_integer("seed", seed, *SEEDS)
    if kind == "folder":
        from keras_sagan.data import folder

        examples = folder.read(rest, split, image_size, channels or 3, cache_dir)
    else:
        from keras_sagan.data import tfds_source

        builder = open_builder(kind, rest, image_size, cache_dir)
        examples = tfds_source.read(builder, split, image_size, channels, cache_dir)
    return Source(name, split, batch_size, seed, examples)


def open_builder(kind, rest, image_size, cache_dir):
    """The prepared TFDS builder of a parsed name of kind "glyphs" or "tfds"."""
    if kind == "glyphs":
        from keras_sagan.data import glyph_files

        return glyph_files.prepared_builder(image_size, cache_dir)
    from keras_sagan.data import tfds_source

    return tfds_source.prepared_builder(rest, cache_dir)


def parse_arguments(name, image_size, channels):
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
    return kind, rest, image_size, channels


def parse_name(name):
    """Splits a data set's name into kind and argument.

    Args:
        name: str. See `load`.

    Returns:
        `("glyphs", "")`, `("tfds", NAME)` or `("folder", PATH)`.

    Raises:
        TypeError: if it is not a str.
        ValueError: if it is none of the kinds; the nearest is suggested.
    """
    if not isinstance(name, str):
        raise TypeError(f"`name` must be a str. Received: name={name!r}.")
    kind, _, rest = name.partition(":")
    if name == "glyphs" or (kind in ("tfds", "folder") and rest):
        return kind, rest
    raise ValueError(
        f"`name` must be one of {', '.join(map(repr, KINDS))}.{_hint(name, kind)} "
        f"Received: name={name!r}."
    )


def _hint(name, kind):
    """ " Did you mean ...?" where something is near, else ""."""
    if os.path.isdir(name):
        return f" Did you mean 'folder:{name}'?"
    known = [known.partition(":")[0] for known in KINDS]
    nearest = difflib.get_close_matches(kind.lower(), known, n=1)
    if nearest:
        full = next(known for known in KINDS if known.startswith(nearest[0]))
        return f" Did you mean {full!r}?"
    return f" A TFDS data set is 'tfds:{name}'." if ":" not in name else ""
