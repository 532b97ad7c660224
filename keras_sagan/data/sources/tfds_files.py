"""Checks the directories of TFDS data sets before TFDS reads them.

TFDS imports the module of every feature class that the description of a data set names,
so that a data set from somebody else could run a program. Therefore only the classes of
TFDS itself are accepted.
"""

import re

import tensorflow_datasets as tfds

from keras_sagan.files import json_files

_FILES = ("dataset_info.json", "features.json")
_LARGEST = 1 << 24  # bytes of a description, which lists all shards of the data set
# The pictures and labels that this package reads, and features that may be beside them.
_FEATURES = (
    tfds.features.Audio,
    tfds.features.BBoxFeature,
    tfds.features.ClassLabel,
    tfds.features.Dataset,
    tfds.features.FeaturesDict,
    tfds.features.Image,
    tfds.features.LabeledImage,
    tfds.features.Scalar,
    tfds.features.Sequence,
    tfds.features.Tensor,
    tfds.features.Text,
    tfds.features.Translation,
    tfds.features.TranslationVariableLanguages,
    tfds.features.Video,
)
_ALLOWED = {
    *(f"{feature.__module__}.{feature.__name__}" for feature in _FEATURES),
    *(alias for feature in _FEATURES for alias in feature.ALIASES),
}
# Keys that name a class: as protocol buffers write them in JSON, and before TFDS 4.3.
_CLASS_KEYS = ("pythonClassName", "python_class_name", "type")
# Names of data sets in other catalogues, `namespace:name`; versions begin with a digit.
_IN_NAMESPACE = re.compile(r"[\w-]+:[A-Za-z]")


def check_directory(directory):
    """Checks which modules TFDS would import for the description of a data set.

    Args:
        directory: path of a directory, which need not be a data set.

    Raises:
        ValueError: if the description names a class from outside TFDS, or if it is not
            a JSON object of at most 16 MiB. The message names the file and the class.
    """
    for name in _FILES:
        path = tfds.core.Path(directory) / name
        if not path.exists():
            continue
        content = json_files.read(path, _LARGEST)
        features = content if name == "features.json" else content.get("features")
        for class_name in _class_names(features):
            if class_name not in _ALLOWED:
                raise ValueError(
                    f"{str(path)!r} names the feature class {class_name!r}, whose "
                    "module TFDS would import. Only classes of "
                    "`tensorflow_datasets.features` are allowed."
                )


def check_name(name, data_directory):
    """Checks every directory that TFDS may open for a name, as `check_directory` does.

    Args:
        name: str. Name of a data set, optionally with config and version.
        data_directory: path of the TFDS data directory.

    Raises:
        ValueError: as for `check_directory`, or if the name has arguments for TFDS or
            belongs to one of TFDS's community catalogues, whose descriptions and
            programs come from other people.
    """
    if "=" in name:
        raise ValueError(
            "The name of a TFDS data set may have '/CONFIG' and ':VERSION', but no "
            f"arguments. Received: 'tfds:{name}'."
        )
    if _IN_NAMESPACE.match(name):
        raise ValueError(
            "Names of TFDS's community catalogues (NAMESPACE:NAME) are not accepted, "
            "because TFDS would run programs that it finds there. Prepare the data "
            "set yourself, and give its directory ('tfds:PATH'). "
            f"Received: 'tfds:{name}'."
        )
    root, wanted = tfds.core.Path(data_directory), _spelling(name)
    if not root.is_dir():
        return
    for folder in root.iterdir():
        if _spelling(folder.name) != wanted or not folder.is_dir():
            continue
        for pattern in ("*", "*/*"):  # versions, and versions of configs
            for inner in folder.glob(pattern):
                check_directory(inner)


def _spelling(name):
    """Returns a form that is equal for all names of a data set (`MySet`, `my_set`)."""
    base = name.partition("/")[0].partition(":")[0]
    return base.replace("_", "").lower()


def _class_names(features):
    """Yields the classes named in a description of features, at any depth."""
    waiting = [features]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            for key, inner in value.items():
                if key in _CLASS_KEYS and isinstance(inner, str):
                    yield inner
                else:
                    waiting.append(inner)
