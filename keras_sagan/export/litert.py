"""LiteRT (TensorFlow Lite) models of a generator (extra `litert`)."""

import os
import tempfile
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from keras_sagan.export.runtimes import network_function
from keras_sagan.extras import MissingExtraError
from keras_sagan.files import writing


def export_litert(generator: keras.Model, path: str | os.PathLike) -> None:
    """Writes a generator in inference mode as a LiteRT model in float32.

    The signature `serving_default` maps `latent` float32 `(n, latent_dim)` and, for a
    conditional generator, `label` int32 `(n,)` to `images` float32 `(n, size, size,
    channels)` in [-1, 1]. After `resize_tensor_input`, `n` can be any positive number.

    Args:
        generator: built `Generator`.
        path: str or path of the file, which must not exist.

    Raises:
        FileExistsError: if the file exists.
    """
    function, _ = network_function(generator, merged_upsampling=False)
    concrete = function.get_concrete_function()
    module, signatures = tf.Module(), {"serving_default": concrete}
    module.v = list(concrete.graph.variables)
    # Inputs and outputs keep their names only by way of a SavedModel.
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(signatures)
        )
        content = converter.convert()
    writing.create_file(path, content)


def litert_runner(
    path: str | os.PathLike, threads: int = 1
) -> Callable[[dict], np.ndarray]:
    """Loads a LiteRT model and returns a function that runs it.

    Args:
        path: str or path of the file.
        threads: int. Number of threads for computing.

    Returns: function from a dict of input arrays to the array of images.

    Raises:
        ImportError: if the extra `litert` is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingExtraError(f"A LiteRT model ({error})", "litert") from error

    interpreter = Interpreter(model_path=str(path), num_threads=threads)
    runner = interpreter.get_signature_runner("serving_default")
    return lambda inputs: runner(**inputs)["images"]
