"""Models for NVIDIA's Triton Inference Server: a folder of its model repository."""

import os
import pathlib
import typing

import keras

from keras_sagan.export import publishing
from keras_sagan.export.onnx import export_onnx
from keras_sagan.extras import MissingExtraError
from keras_sagan.files import paths, writing

MODEL, CONFIG = "model.onnx", "config.pbtxt"
MAX_BATCH = 32  # rows that are computed at once
QUEUE_MICROSECONDS = 2000  # that a request may wait for others

# `DataType` of model_config.proto, by the type of ONNX.
_TYPES = {1: "TYPE_FP32", 2: "TYPE_UINT8", 6: "TYPE_INT32", 7: "TYPE_INT64"}


def export_triton(
    generator: keras.Model,
    directory: str | os.PathLike,
    signature: str = "generate",
    verify: typing.Callable[[pathlib.Path], None] = lambda path: None,
    **facts: typing.Any,
) -> pathlib.Path:
    """Write `generator` as the next version of a model of a Triton repository.

    `DIRECTORY/config.pbtxt` describes the model, `DIRECTORY/N/model.onnx` is what
    Triton's ONNX Runtime backend runs. Requests are batched and the first are answered
    before the model is ready. What comes in as a vector of rows elsewhere has the shape
    `(n, 1)` for Triton.

    Args:
        generator: `Generator`, built.
        directory: str or path. Of the model: its name is the model's.
        signature: str. What the model does; see `export_onnx`.
        verify: function that is given the path of the ONNX model before it is
            published; what it raises leaves nothing behind.
        **facts: other arguments of `model_card`.

    Returns: path of the version.

    Raises:
        ImportError: without the extra `onnx`.
        ValueError: if there is no such signature, or no attention layer.
        FileExistsError: if the directory has the configuration of another model.
    """
    directory = paths.local(directory).absolute()

    def write(folder):
        path = folder / MODEL
        export_onnx(generator, path, directory.name, signature, **facts)
        verify(path)
        config = model_config(path, directory.name).encode()
        there = directory / CONFIG
        if not there.exists():
            writing.create_file(there, config)
        elif there.read_bytes() != config:
            raise FileExistsError(
                f"{str(there)!r} is there and describes another model: change nothing "
                "in it, or export to another directory."
            )

    return publishing.publish_version(write, directory)


def model_config(path: str | os.PathLike, name: str) -> str:
    """The `config.pbtxt` of an ONNX model whose first dimensions are the rows.

    Args:
        path: str or path of the model.
        name: str. That Triton calls it.

    Returns: text of the message `inference.ModelConfig`.

    Raises:
        ImportError: without the extra `onnx`.
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
    """Type and shape of a row."""
    tensor = value.type.tensor_type
    return _TYPES[tensor.elem_type], [
        dim.dim_value or -1 for dim in tensor.shape.dim[1:]
    ]


def _block(kind, name, dtype, shape):
    # Triton has no rows without a shape: it takes them off.
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
