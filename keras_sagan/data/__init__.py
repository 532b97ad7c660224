"""Image sources: embedded sets, TensorFlow Datasets, folders and arrays.

`import keras_sagan.data` imports neither TensorFlow nor Keras: a name is imported
on its first use.
"""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "source": ["Source"],
        "preparing.preparation": ["PrepareResult", "prepare"],
        "checking.report": ["CheckReport", "check"],
        "loading": ["load"],
        "validation": ["check_batch"],
    },
)
