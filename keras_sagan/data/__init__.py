"""Loads images from built-in data sets, TensorFlow Datasets, folders and NumPy files.

`import keras_sagan.data` imports neither TensorFlow nor Keras, because every name is
imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "source": ["Source"],
        "preparing.preparation": ["PrepareResult", "prepare"],
        "checking.report": ["CheckReport", "check"],
        "loading": ["load"],
    },
)
