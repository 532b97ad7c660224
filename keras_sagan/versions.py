"""Versions of the packages that a file was made with."""

import importlib.metadata
import platform

import keras

import keras_sagan


def metadata():
    """Versions that a saved model was made with."""
    return {
        "keras_sagan": keras_sagan.__version__,
        "keras": keras.__version__,
        "tensorflow": importlib.metadata.version("tensorflow"),
    }


def environment():
    """Versions that decide the last bits of what a program computes."""
    return {"python": platform.python_version(), **metadata()}
