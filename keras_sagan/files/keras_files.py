"""Opens untrusted `.keras` files, which are checked before Keras builds the model."""

import pathlib
import tempfile
import zipfile

import keras

from keras_sagan.files import hdf5_files, json_files, paths, zip_files

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_ASSETS = "assets/"
_LARGEST_CONFIG = 1 << 24  # bytes
# This layer loads a SavedModel, that is, code, from a path in its configuration. The
# safe mode of some versions of Keras, e.g. 3.12, accepts it.
_FROM_ELSEWHERE = "TFSMLayer"
_BLOCK = 1 << 20  # bytes


def load(path, examine=None):
    """Loads the model in a `.keras` file without running any code that it brings.

    This function checks that the archive has no entries but Keras's own, expands to at
    most 100 times its size, holds plain arrays as weights, and has no layer that loads
    a SavedModel. Keras's safe mode refuses `Lambda` layers and other code. Whether the
    layers are larger than their weights is not checked, because Keras builds them
    first; `examine` can do that.

    Args:
        path: str or path.
        examine: callable, or `None`. It is called with the configuration (a dict) and
            the size of the weights in bytes before anything is built, and raises a
            `ValueError` to refuse the file.

    Returns: `keras.Model`.

    Raises:
        ValueError: if the file is not such an archive, or asks to run code.
        OSError: if the file cannot be read.
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
    except Exception as error:  # untrusted arguments can make Keras raise anything
        raise ValueError(
            f"The model in {str(path)!r} cannot be built: {error}"
        ) from error


def check(path):
    """Checks that a `.keras` file holds nothing but data.

    Returns: tuple of the configuration, a dict, and the size of the weights in bytes.

    Raises:
        ValueError: if it holds anything else.
        OSError: if the file cannot be read.
    """
    with zip_files.opened(path) as archive, tempfile.TemporaryDirectory() as folder:
        for name in archive.namelist():
            inside = name.startswith(_ASSETS) and ".." not in name.split("/")
            if name not in (_CONFIG, _METADATA, _WEIGHTS) and not inside:
                raise ValueError(f"it has an entry {name!r}, unlike files of Keras.")
        with archive.open(_CONFIG) as file:
            config = json_files.parse(_read(file, _LARGEST_CONFIG), _CONFIG)
        _check_layers(config)
        # HDF5 needs a file that it can seek in, so the weights are copied out.
        copy = pathlib.Path(folder) / _WEIGHTS
        with archive.open(_WEIGHTS) as file, copy.open("wb") as target:
            while block := file.read(_BLOCK):
                target.write(block)
        return config, hdf5_files.check(copy)


def add_asset(path, name, content):
    """Adds a file of our own to a `.keras` file; `keras.saving` ignores it.

    Args:
        path: str or path of a file that `keras.Model.save` wrote.
        name: str that begins with "assets/".
        content: str.
    """
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, content)


def read_asset(path, name):
    """Reads a file that `add_asset` put into a `.keras` file.

    Args:
        path: str or path.
        name: str, e.g. "assets/class_names.json".

    Returns: bytes, or `None` if there is no such asset.

    Raises:
        ValueError: if the file is not a `.keras` file, or the asset is larger than
            1 MiB.
        OSError: if the file cannot be read.
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
    """Refuses layers, however deeply nested, that load code from another file."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            # Keras also accepts `layers.TFSMLayer` in the module `keras`.
            if str(value.get("class_name")).rpartition(".")[2] == _FROM_ELSEWHERE:
                raise ValueError(
                    f"it has a {_FROM_ELSEWHERE}, which loads a model from other files."
                )
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _read(file, largest):
    content = file.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"{_CONFIG} must have at most {largest} bytes.")
    return content
