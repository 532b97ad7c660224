"""`.keras` files of others: checked before Keras builds what they describe."""

import pathlib
import tempfile
import zipfile

import keras

from keras_sagan.files import hdf5_files, json_files, paths, zip_files

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_ASSETS = "assets/"
_LARGEST_CONFIG = 1 << 24  # bytes
# Loads a SavedModel from a path in its configuration. Keras's safe mode lets it pass in
# some versions, e.g. 3.12.
_FROM_ELSEWHERE = "TFSMLayer"
_BLOCK = 1 << 20  # bytes


def load(path, examine=None):
    """The model in a `.keras` file.

    Checked here: the archive has Keras's entries alone, unfolds to no more than 100
    times its size, its weights are plain arrays, and no layer is a SavedModel. Keras's
    safe mode refuses `Lambda` layers and other code. That the layers are not larger
    than their weights is not checked: Keras builds them first.

    Args:
        path: str or path.
        examine: callable that is given the configuration and the bytes of the weights
            before anything is built, and raises a `ValueError` to refuse them.

    Returns: `keras.Model`.

    Raises:
        ValueError: if it is no such file, or asks to run code.
        OSError: if it cannot be read.
    """
    path = paths.local(path)
    content = check(path)
    if examine is not None:
        try:
            examine(*content)
        except ValueError as error:
            raise ValueError(f"{str(path)!r} cannot be used: {error}") from error
    try:
        return keras.saving.load_model(path, safe_mode=True)
    except Exception as error:  # whatever Keras makes of arguments of others
        raise ValueError(
            f"{str(path)!r} holds no model that can be built: {error}"
        ) from error


def check(path):
    """Checks that a `.keras` file holds data alone.

    Returns: its configuration, a dict, and the bytes of its weights.

    Raises:
        ValueError: if it holds something else.
        OSError: if it cannot be read.
    """
    with zip_files.opened(path) as archive, tempfile.TemporaryDirectory() as folder:
        for name in archive.namelist():
            inside = name.startswith(_ASSETS) and ".." not in name.split("/")
            if name not in (_CONFIG, _METADATA, _WEIGHTS) and not inside:
                raise ValueError(f"it has an entry {name!r}, which no model has.")
        with archive.open(_CONFIG) as file:
            config = json_files.parse(_read(file, _LARGEST_CONFIG), _CONFIG)
        _check_layers(config)
        copy = pathlib.Path(folder) / _WEIGHTS
        with archive.open(_WEIGHTS) as file, copy.open("wb") as target:
            while block := file.read(_BLOCK):
                target.write(block)
        return config, hdf5_files.check(copy)


def add_asset(path, name, content):
    """Adds a file that `keras.saving` leaves alone to a `.keras` file.

    Args:
        path: str or path of a file that `keras.Model.save` wrote.
        name: str that begins with "assets/".
        content: str.
    """
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, content)


def read_asset(path, name):
    """The content of an asset in a `.keras` file: bytes, or `None` if it has none.

    Args:
        path: str or path.
        name: str, e.g. "assets/class_names.json". Of at most 1 MiB.

    Raises:
        ValueError: if it is no such file, or the asset is larger.
        OSError: if it cannot be read.
    """
    with zip_files.opened(path) as archive:
        if name not in archive.namelist():
            return None
        with archive.open(name) as file:
            content = file.read(json_files.LARGEST + 1)
        if len(content) > json_files.LARGEST:
            raise ValueError(f"{name} must have at most {json_files.LARGEST} bytes.")
    return content


def _check_layers(config):
    """Refuses layers that bring what they do from another file."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.get("class_name") == _FROM_ELSEWHERE:
                raise ValueError(f"it has a {_FROM_ELSEWHERE}: a model in other files.")
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _read(file, largest):
    content = file.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"{_CONFIG} must have at most {largest} bytes.")
    return content
