"""Names of extractors on the command line and in settings, checked by their form.

Free of NumPy and TensorFlow: a mistake in a name is reported before those are loaded.
"""

import pathlib

from keras_sagan.files import paths

RESIZE_KINDS = ("tensorflow1", "pytorch", "clean", "pillow")
DINOV2_SIZES = ("s", "b", "l")
WEIGHTS = ("inception", "dinov2")  # whose weights are a file of their own

_FORMS = (
    "inception, dinov2[:s|b|l], classifier[:FILE.keras], keras:FILE.keras, "
    "saved_model:DIR or applications:NAME"
)


def parse(name):
    """Splits a name such as `"keras:mine.keras"`.

    Args:
        name: str. See `keras-sagan evaluate --help`.

    Returns: `(kind, rest)`: str before and after the first colon; `rest` may be empty
        for "inception" and "classifier" only.

    Raises:
        ValueError: if there is no such extractor, or its file has another ending.
        FileNotFoundError: if the file or directory that has to be there is not.
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
    if kind in there and not there[kind](paths.local(rest)):
        raise FileNotFoundError(f"`extractor` {name!r}: there is no {rest!r}.")
    return kind, rest


def default_resize(kind):
    """How images get to the size of an extractor of this kind where nothing is said.

    Args:
        kind: str, the first part of what `parse` returns.
    """
    return "pillow" if kind == "dinov2" else "tensorflow1"
