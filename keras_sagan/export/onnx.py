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

OPSET = 18  # the first with integer operations by bit
SIGNATURES = ("serving_default", "attention", "generate")


def export_onnx(
    generator: keras.Model,
    path: str | os.PathLike,
    name: str,
    signature: str = "serving_default",
    **facts: typing.Any,
) -> None:
    """Write `generator` in inference mode as an ONNX model, of one function.

    It takes any number n > 0 of rows. With the signature `"serving_default"` the inputs
    are `latent` float32 `(n, latent_dim)` and, for a conditional generator, `label`
    int32 `(n,)`; the output `images` is float32 `(n, size, size, channels)` in
    [-1, 1]. `"attention"` gives one map float32 `(n, queries, keys)` a layer more.
    `"generate"` takes `seed` int64 `(n,)` and `truncation` float32 `(n,)`, 0 for none,
    in place of latents, and gives the `images` of `SAGAN.generate`, uint8. The model
    card is the metadata entry `model_card`.

    Args:
        generator: `Generator`, built.
        path: str or path of the file, which must not exist.
        name: str. Of the model.
        signature: str. One of the three.
        **facts: other arguments of `model_card`.

    Raises:
        ImportError: without the extra `onnx`.
        ValueError: if there is no such signature, or no attention layer.
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
            "The generator has no attention layers, whose maps `signature='attention'` "
            "gives."
        )
    function, specs = network_function(generator, merged_upsampling=True, maps=maps)
    if signature == "generate":
        function, specs = generate_function(function, specs)
    content = onnx_bytes(function, specs, model_card(generator, name, **facts))
    writing.create_file(path, content)


def onnx_bytes(function, specs, card):
    """An ONNX model of a `tf.function`, with a `model_card`; `images` come first.

    Raises:
        ImportError: without the extra `onnx`.
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
    """A function that runs an ONNX model in ONNX Runtime.

    Args:
        path: str or path of the file.
        threads: int. For computing; 0 for as many as there are cores.

    Returns: callable from a dict of inputs to the array of images.

    Raises:
        ImportError: without the extra `onnx`.
    """
    run = onnx_outputs(path, threads)
    return lambda inputs: run(inputs)["images"]


def onnx_outputs(path, threads=0):
    """As `onnx_runner`, but the callable returns a dict of all outputs."""
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
