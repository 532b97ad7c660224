"""Versions of the packages that a file was made with."""

import importlib.metadata

import keras

import keras_sagan


def metadata():
    """Versions that a saved model was made with."""
    return {
        "keras_sagan": keras_sagan.__version__,
        "keras": keras.__version__,
        "tensorflow": importlib.metadata.version("tensorflow"),
    }
