"""Exports models for NVIDIA's Triton Inference Server, to its model repository."""

import os
import pathlib
import typing

import keras

from keras_sagan.export import publishing
from keras_sagan.export.onnx import export_onnx
from keras_sagan.extras import MissingExtraError
from keras_sagan.files import paths, writing

MODEL, CONFIG = "model.onnx", "config.pbtxt"
MAX_BATCH = 32  # largest number of rows computed at once
QUEUE_MICROSECONDS = 2000  # longest time that a request waits for others

# `DataType` of model_config.proto, by the type of ONNX.
_TYPES = {1: "TYPE_FP32", 2: "TYPE_UINT8", 6: "TYPE_INT32", 7: "TYPE_INT64"}


def export_triton(
    generator: keras.Model,
    directory: str | os.PathLike,
    signature: str = "generate",
    verify: typing.Callable[[pathlib.Path], None] = lambda path: None,
    **facts: typing.Any,
) -> pathlib.Path:
    """Writes a generator as the next version of a model in a Triton repository.

    `DIRECTORY/config.pbtxt` describes the model, and Triton's ONNX Runtime backend runs
    `DIRECTORY/N/model.onnx`. Triton batches requests, and computes two batches as a
    warm-up before the model is ready. Inputs that are vectors `(n,)` in other exports
    have the shape `(n, 1)`.

    Args:
        generator: built `Generator`.
        directory: str or path of the model's directory, whose name becomes that of the
            model.
        signature: str. Function of the model; see `export_onnx`.
        verify: function that is called with the path of the ONNX model before it is
            published. If it raises an error, nothing is left behind.
        **facts: further arguments of `model_card`.

    Returns: path of the version.

    Raises:
        ImportError: if the extra `onnx` is not installed.
        ValueError: if there is no such signature, or no attention layer.
        FileExistsError: if the directory has the configuration of another model.
    """
    directory = paths.local(directory).absolute()

    def write(folder):
        path = folder / MODEL
        export_onnx(generator, path, directory.name, signature, **facts)
        verify(path)
        config = model_config(path, directory.name).encode()
        target = directory / CONFIG
        if not target.exists():
            writing.create_file(target, config)
        elif target.read_bytes() != config:
            raise FileExistsError(
                f"{str(target)!r} exists and differs from the configuration of this "
                "model. Undo changes to it, or export to another directory."
            )

    return publishing.publish_version(write, directory)


def model_config(path: str | os.PathLike, name: str) -> str:
    """Returns the `config.pbtxt` of an ONNX model whose first dimensions are the rows.

    Args:
        path: str or path of the model.
        name: str. Name of the model in Triton.

    Returns: str, a text of the message `inference.ModelConfig`.

    Raises:
        ImportError: if the extra `onnx` is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError(f"An ONNX model ({error})", "onnx") from error

    graph = onnx.load(os.fspath(path), load_external_data=False).graph
    inputs = [(value.name, *_tensor(value)) for value in graph.input]
    outputs = [(value.name, *_tensor(value)) for value in graph.output]
    blocks = [
        f'name: "{_escaped(name)}"\nbackend: "onnxruntime"\n'
        f"max_batch_size: {MAX_BATCH}\n",
        *(_block("input", *value) for value in inputs),
        *(_block("output", *value) for value in outputs),
        "dynamic_batching {\n"
        f"  max_queue_delay_microseconds: {QUEUE_MICROSECONDS}\n"
        "}\n",
        *(_warmup(count, inputs) for count in (1, MAX_BATCH)),
    ]
    return "".join(blocks)


def _tensor(value):
    """Returns the type and the shape of a row."""
    tensor = value.type.tensor_type
    return _TYPES[tensor.elem_type], [
        dim.dim_value or -1 for dim in tensor.shape.dim[1:]
    ]


def _block(kind, name, dtype, shape):
    # Triton has no rows of scalars, but it can remove the dimension of size 1.
    dims = f"dims: {shape}" if shape else "dims: [1]\n  reshape { shape: [] }"
    return f'{kind} {{\n  name: "{name}"\n  data_type: {dtype}\n  {dims}\n}}\n'


def _warmup(count, inputs):
    fields = "".join(
        "  inputs {\n"
        f'    key: "{name}"\n'
        f"    value {{ data_type: {dtype} dims: {shape or [1]} zero_data: true }}\n"
        "  }\n"
        for name, dtype, shape in inputs
    )
    return (
        f'model_warmup {{\n  name: "rows_{count}"\n  batch_size: {count}\n{fields}}}\n'
    )


def _escaped(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')
