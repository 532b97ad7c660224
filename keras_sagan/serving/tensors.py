"""Converts between NumPy arrays and tensor messages, without importing TensorFlow."""

import math

import numpy as np

from keras_sagan.serving.messages import Tensor

# NumPy dtype; number and name in tensorflow/core/framework/types.proto; field of the
# message that holds the values.
_TYPES = (
    (np.dtype("float32"), 1, "DT_FLOAT", "float_val"),
    (np.dtype("float64"), 2, "DT_DOUBLE", "double_val"),
    (np.dtype("int32"), 3, "DT_INT32", "int_val"),
    (np.dtype("uint8"), 4, "DT_UINT8", "int_val"),
    (np.dtype("O"), 7, "DT_STRING", "string_val"),
    (np.dtype("int64"), 9, "DT_INT64", "int64_val"),
    (np.dtype("bool"), 10, "DT_BOOL", "bool_val"),
)
_NUMBERS = {dtype: number for dtype, number, _, _ in _TYPES}
_FIELDS = {number: (dtype, field) for dtype, number, _, field in _TYPES}
_BY_NAME = {name: dtype for dtype, _, name, _ in _TYPES}
STRING = np.dtype("O")  # elements are `bytes`


def to_message(array):
    """Returns the `Tensor` message of an array.

    Args:
        array: array of float32, float64, int32, uint8, int64, bool or `bytes` objects.

    Raises:
        ValueError: if the array has any other type.
    """
    array = np.asarray(array)
    if array.dtype not in _NUMBERS:
        allowed = ", ".join(str(dtype) for dtype in _NUMBERS)
        raise ValueError(
            f"`array` must have one of the types {allowed}. Received: {array.dtype}."
        )
    message = Tensor(dtype=_NUMBERS[array.dtype])
    for size in array.shape:
        message.tensor_shape.dim.add(size=size)
    if array.dtype == STRING:
        message.string_val.extend(array.ravel())
    else:
        message.tensor_content = np.ascontiguousarray(array).tobytes()
    return message


def from_message(message, max_bytes=None):
    """Returns the array of a `Tensor` message in either of its two encodings.

    TensorFlow Serving answers with a list of values, or with raw bytes if it was
    started with `--enable_serialization_as_tensor_content`. If the list is shorter than
    the tensor, its last value is repeated; an empty list stands for zeros (tensor.cc).

    Args:
        message: `Tensor` message.
        max_bytes: int. Size of the largest array that is made, since a short message
            can stand for a large one. `None` for any.

    Raises:
        ValueError: if the type of the message is not supported, if its length does not
            match its shape, or if the array would be larger than `max_bytes`.
    """
    dtype, field = _field(message.dtype)
    shape = tuple(dim.size for dim in message.tensor_shape.dim)
    size = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or (max_bytes is not None and size > max_bytes):
        raise ValueError(
            f"A tensor must have a known shape and at most {max_bytes} bytes. "
            f"Received: the shape {shape} of {dtype}."
        )
    if message.tensor_content:
        return np.frombuffer(message.tensor_content, dtype).reshape(shape).copy()
    values = getattr(message, field)
    count = math.prod(shape)
    if len(values) > count:
        raise ValueError(
            f"A tensor of shape {shape} has at most {count} values. Received: "
            f"{len(values)}."
        )
    last = values[-1] if values else (b"" if dtype == STRING else 0)
    array = np.full(count, last, dtype)
    array[: len(values)] = values
    return array.reshape(shape)


def dtype_of_number(number):
    """Returns the NumPy dtype for a type number of types.proto."""
    return _field(number)[0]


def dtype_of_name(name):
    """Returns the NumPy dtype for a type name of types.proto, e.g. `"DT_INT64"`."""
    if name not in _BY_NAME:
        raise ValueError(f"Tensors of type {name} are not supported.")
    return _BY_NAME[name]


def _field(number):
    if number not in _FIELDS:
        raise ValueError(f"Tensors of TensorFlow's type {number} are not supported.")
    return _FIELDS[number]
