"""Downloads and uploads the files of a model with the client library of its hub."""

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
        largest: int, or None. Largest size in bytes. A file that is larger according to
            the hub is not fetched.

    Returns: tuple `(path, address)` of the path of the file and the address of the
        version to which it belongs, from which to fetch the other files.

    Raises:
        FileNotFoundError: if there is no such model, or if it has no such file.
        ValueError: if the file has more than `largest` bytes.
        ImportError: if the client is not installed.
        OSError: if the hub refuses access, or if it cannot be reached and the file is
            not in the cache.
    """
    path = pathlib.Path(_client_of(address).fetch(address, file, largest))
    # The client's cache has a folder for each version, also for the newest one.
    return path, dataclasses.replace(address, version=path.parent.name)


def upload(address, folder, files):
    """Uploads files of a folder as the newest version of a model.

    If there is no such model, it is created.

    Args:
        address: `Address` without a version.
        folder: path.
        files: list of str. Names of the files.

    Raises:
        ValueError: if the address names a version.
        ImportError, OSError: as for `fetch`.
    """
    if address.version is not None:
        raise ValueError(
            "A model is uploaded as a new version, so the address must not name a "
            f"version. Received: {str(address)!r}."
        )
    _client_of(address).upload(address, folder, files)


def _client_of(address):
    """Returns the module with `fetch` and `upload` for the hub of an address."""
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
