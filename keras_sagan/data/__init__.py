"""Image sources: embedded sets, TensorFlow Datasets, folders and arrays.

`import keras_sagan.data` imports neither TensorFlow nor Keras: a name is imported
on its first use.
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
