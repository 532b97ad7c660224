"""ONNX models of a generator, for ONNX Runtime (extra `onnx`)."""

import json
import os
import typing
from collections.abc import Callable

import keras
import numpy as np

from keras_sagan.export.card import model_card
from keras_sagan.export.runtimes import network_function
from keras_sagan.extras import MissingExtraError
from keras_sagan.files import writing

OPSET = 18


def export_onnx(
    generator: keras.Model, path: str | os.PathLike, name: str, **facts: typing.Any
) -> None:
    """Write `generator` in inference mode as an ONNX model.

    Inputs `latent` float32 `(n, latent_dim)` and, for a conditional generator,
    `label` int32 `(n,)`, any `n` > 0; output `images` float32 `(n, size, size,
    channels)` in [-1, 1]. The model card is the metadata entry `model_card`.

    Args:
        generator: `Generator`, built.
        path: str or path of the file, which must not exist.
        name: str. Of the model.
        **facts: other arguments of `model_card`.

    Raises:
        ImportError: without the extra `onnx`.
        FileExistsError: if the file exists.
    """
    try:
        import onnx
        import tf2onnx
    except ImportError as error:
        raise MissingExtraError(f"An ONNX model ({error})", "onnx") from error

    function, specs = network_function(generator, merged_upsampling=True)
    model, _ = tf2onnx.convert.from_function(
        function, input_signature=specs, opset=OPSET
    )
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    card = model_card(generator, name, **facts)
    onnx.helper.set_model_props(model, {"model_card": json.dumps(card)})
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    writing.create_file(path, content)


def onnx_runner(
    path: str | os.PathLike, threads: int = 0
) -> Callable[[dict], np.ndarray]:
    """A function that runs an ONNX model in ONNX Runtime.

    Args:
        path: str or path of the file.
        threads: int. For computing; 0 for as many as there are cores.

    Returns: callable from a dict of inputs to the array of images.

    Raises:
        ImportError: without the extra `onnx`.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError(f"An ONNX model ({error})", "onnx") from error

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )
    return lambda inputs: session.run(["images"], inputs)[0]
