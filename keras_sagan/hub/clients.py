"""Fetches the files of a model, and uploads them, with the client of its hub."""

import dataclasses
import importlib
import pathlib

from keras_sagan.extras import MissingExtraError

_PACKAGES = {"hf": "huggingface_hub", "kaggle": "kagglehub"}


def fetch(address, file, largest=None):
    """Fetches a file of a model into the cache of the hub's client.

    Args:
        address: `Address`.
        file: str. Name of the file.
        largest: int, or None. Bytes that it may have: where the hub says that it has
            more it is not fetched.

    Returns: `(path, address)`: where it is, and the address of the version that it is
        of, for the next file.

    Raises:
        FileNotFoundError: if there is no such model, or it has no such file.
        ValueError: if it has more than `largest` bytes.
        ImportError: if the client is not installed.
        OSError: if the hub does not let one in, or it cannot be reached and the file is
            not in the cache.
    """
    path = pathlib.Path(_client_of(address).fetch(address, file, largest))
    # Of the newest version, whichever that was: the next file is of the same.
    return path, dataclasses.replace(address, version=path.parent.name)


def upload(address, folder, files):
    """Uploads files of a folder as the newest version of a model.

    The model is made if there is none.

    Args:
        address: `Address` without a version.
        folder: path.
        files: list of str. Names of the files.

    Raises:
        ValueError: if the address names a version.
        ImportError, OSError: as `fetch`.
    """
    if address.version is not None:
        raise ValueError(
            "A new version of a model is uploaded: the address must not name one. "
            f"Received: {str(address)!r}."
        )
    _client_of(address).upload(address, folder, files)


def _client_of(address):
    """The module with `fetch` and `upload` for an address."""
    package = _PACKAGES[address.scheme]
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise MissingExtraError(f"{str(address)!r} ({error})", "hub") from error
    if address.scheme == "hf":
        from keras_sagan.hub import hugging_face as client
    else:
        from keras_sagan.hub import kaggle as client
    return client
