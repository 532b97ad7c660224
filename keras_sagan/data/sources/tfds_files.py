"""Directories of TFDS data sets of others: checked before TFDS reads them.

TFDS imports the module of every feature class that a description names, so that a
data set could bring a program along. Only TFDS's own classes are let through.
"""

import tensorflow_datasets as tfds

from keras_sagan.files import json_files

_FILES = ("dataset_info.json", "features.json")
_LARGEST = 1 << 24  # bytes of a description: the shards of a large set are all listed
# The pictures and labels that this package reads, and what may stand beside them.
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
# Where a class is named: as protocol buffers spell it in JSON, and before TFDS 4.3.
_CLASS_KEYS = ("pythonClassName", "python_class_name", "type")


def check_directory(directory):
    """Checks what the description of a data set would have TFDS import.

    Args:
        directory: path of a data set with `dataset_info.json`, or of none.

    Raises:
        ValueError: naming the file, and the class where it is none of TFDS's own; or
            if it is no JSON object of at most 16 MiB.
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
                    "module TFDS would import: only classes of "
                    "`tensorflow_datasets.features` are read."
                )


def check_name(name, data_directory):
    """As `check_directory`, for what TFDS may find under a name in its own directory.

    Args:
        name: str. Of a data set, perhaps with config and version.
        data_directory: path of TFDS's data directory.
    """
    root, wanted = tfds.core.Path(data_directory), _spelling(name)
    if not root.is_dir():
        return
    for folder in root.iterdir():
        if _spelling(folder.name) != wanted or not folder.is_dir():
            continue
        for pattern in ("*", "*/*"):  # versions, and those of configurations
            for inner in folder.glob(pattern):
                check_directory(inner)


def _spelling(name):
    """What names of one data set have in common: TFDS makes `my_set` of `MySet`."""
    base = name.partition("/")[0].partition(":")[0]
    return base.replace("_", "").lower()


def _class_names(features):
    """The classes that a description of features names, however deep."""
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
