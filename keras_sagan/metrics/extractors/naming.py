"""Checks the form of names of extractors on the command line and in settings.

NumPy and TensorFlow are not imported here, so that a mistake is reported immediately.
"""

import pathlib

from keras_sagan.files import paths

RESIZE_KINDS = ("tensorflow1", "pytorch", "clean", "pillow")
DINOV2_SIZES = ("s", "b", "l")
WEIGHTS = ("inception", "dinov2")  # extractors with a separate file of weights

_FORMS = (
    "inception, dinov2[:s|b|l], classifier[:FILE.keras], keras:FILE.keras, "
    "saved_model:DIR or applications:NAME"
)


def parse(name):
    """Splits a name such as `"keras:mine.keras"`.

    Args:
        name: str. See `keras-sagan evaluate --help`.

    Returns: tuple `(kind, rest)` of the str before and after the first colon, with `~`
        in a path replaced. `rest` is empty for "inception" and may be empty for
        "classifier".

    Raises:
        ValueError: if there is no such extractor, if its file has another extension,
            or if its path is an address, e.g. gs://bucket/file.
        FileNotFoundError: if its file or directory does not exist.
    """
    kind, colon, rest = name.partition(":")
    if kind == "dinov2" and not colon:
        rest = "l"
    alone = {
        "inception": not colon,
        "classifier": True,
        "dinov2": rest in DINOV2_SIZES,
    }
    if not alone.get(kind, kind in ("keras", "saved_model", "applications") and rest):
        raise ValueError(f"`extractor` must be {_FORMS}. Received: {name!r}.")
    if kind == "applications" and not rest[:1].isupper():
        raise ValueError(
            "`extractor` applications:NAME must be the name of a network in "
            f"keras.applications, e.g. ResNet50. Received: {name!r}."
        )
    if kind in ("classifier", "keras") and rest and not rest.endswith(".keras"):
        raise ValueError(
            f"`extractor` {kind}:FILE must name a file that ends in .keras. "
            f"Received: {name!r}."
        )
    there = {"keras": pathlib.Path.is_file, "saved_model": pathlib.Path.is_dir}
    if rest and kind in (*there, "classifier"):
        rest = str(paths.local(rest))
    if kind in there and not there[kind](pathlib.Path(rest)):
        raise FileNotFoundError(f"`extractor` {name!r}: there is no {rest!r}.")
    return kind, rest


def default_resize(kind):
    """Returns how images are resized by default for an extractor.

    Args:
        kind: str. The first part of the result of `parse`.
    """
    return "pillow" if kind == "dinov2" else "tensorflow1"
