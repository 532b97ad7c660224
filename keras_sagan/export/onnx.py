"""ONNX models of a generator, for ONNX Runtime (extra `onnx`)."""

import json
import os
import typing
from collections.abc import Callable

import keras
import numpy as np

from keras_sagan.export.card import model_card
from keras_sagan.export.folding import attention_layers
from keras_sagan.export.runtimes import generate_function, network_function
from keras_sagan.extras import MissingExtraError
from keras_sagan.files import writing

OPSET = 18  # the first one with bitwise operations on integers
SIGNATURES = ("serving_default", "attention", "generate")


def export_onnx(
    generator: keras.Model,
    path: str | os.PathLike,
    name: str,
    signature: str = "serving_default",
    **facts: typing.Any,
) -> None:
    """Writes a generator in inference mode as an ONNX model with one signature.

    The number of rows, `n`, can be any positive number. The signatures are:

    - `"serving_default"`: `latent` float32 `(n, latent_dim)` and, for a conditional
      generator, `label` int32 `(n,)` to `images` float32 `(n, size, size, channels)` in
      [-1, 1].
    - `"attention"`: the same, with a map float32 `(n, queries, keys)` for each layer.
    - `"generate"`: `seed` int64 `(n,)`, `truncation` float32 `(n,)` (0 for none) and
      `label` to the uint8 `images` of `SAGAN.generate`.

    The model card is the metadata entry `model_card`.

    Args:
        generator: built `Generator`.
        path: str or path of the file, which must not exist.
        name: str. Name of the model.
        signature: str. One of the signatures above.
        **facts: other arguments of `model_card`.

    Raises:
        ImportError: if the extra `onnx` is not installed.
        ValueError: if there is no such signature, or no attention layer for
            `"attention"`.
        FileExistsError: if the file exists.
    """
    if signature not in SIGNATURES:
        raise ValueError(
            f"`signature` must be one of {', '.join(SIGNATURES)}. "
            f"Received: signature={signature!r}."
        )
    maps = signature == "attention"
    if maps and not attention_layers(generator):
        raise ValueError(
            "The generator has no attention layers, which `signature='attention'` "
            "needs."
        )
    function, specs = network_function(generator, merged_upsampling=True, maps=maps)
    if signature == "generate":
        function, specs = generate_function(function, specs)
    content = onnx_bytes(function, specs, model_card(generator, name, **facts))
    writing.create_file(path, content)


def onnx_bytes(function, specs, card):
    """Converts a `tf.function` to an ONNX model with a `model_card`: bytes.

    The output `images` is the first one.

    Raises:
        ImportError: if the extra `onnx` is not installed.
    """
    try:
        import onnx
        import tf2onnx
    except ImportError as error:
        raise MissingExtraError(f"An ONNX model ({error})", "onnx") from error

    model, _ = tf2onnx.convert.from_function(
        function, input_signature=specs, opset=OPSET
    )
    outputs = sorted(model.graph.output, key=lambda value: value.name != "images")
    del model.graph.output[:]
    model.graph.output.extend(outputs)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.helper.set_model_props(model, {"model_card": json.dumps(card)})
    onnx.checker.check_model(model)
    return model.SerializeToString()


def onnx_runner(
    path: str | os.PathLike, threads: int = 0
) -> Callable[[dict], np.ndarray]:
    """Loads an ONNX model and returns a function that runs it with ONNX Runtime.

    Args:
        path: str or path of the file.
        threads: int. Number of threads for computing, or 0 for one per core.

    Returns: function from a dict of input arrays to the array of images.

    Raises:
        ImportError: if the extra `onnx` is not installed.
    """
    run = onnx_outputs(path, threads)
    return lambda inputs: run(inputs)["images"]


def onnx_outputs(path, threads=0):
    """Does the same as `onnx_runner`, but for a function that returns all outputs."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError(f"An ONNX model ({error})", "onnx") from error

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs), strict=True))
