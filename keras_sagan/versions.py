"""Versions of this package and of those that it depends on, to be stored in files."""

import importlib.metadata
import platform

import keras

import keras_sagan


def metadata():
    """Returns the versions to store with a saved model: dict from package to str."""
    return {
        "keras_sagan": keras_sagan.__version__,
        "keras": keras.__version__,
        "tensorflow": importlib.metadata.version("tensorflow"),
    }


def environment():
    """Returns the versions on which results depend to the last bit: dict of str."""
    return {"python": platform.python_version(), **metadata()}
