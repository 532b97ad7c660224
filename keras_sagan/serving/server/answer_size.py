"""Bounds the size of an answer before it is computed.

Even a request of few rows can have a large answer: an attention map has a number for
every pair of positions. Sizes are upper bounds, with one exception: byte strings and
dimensions of unknown size can be counted only once the answer has been computed.
"""

import dataclasses
import json
import math

import numpy as np

from keras_sagan.serving.errors import invalid

# In bytes:
_OF_A_TENSOR = 64  # type, keys and lengths of its message, or the punctuation of JSON
_OF_A_DIMENSION = 16
_OF_A_STRING = 16  # its length, or quotes, braces and `"b64"`
_SEPARATOR = 2  # ", "
_TEXT = 6  # `\uffff`, the longest that JSON writes for a single byte


@dataclasses.dataclass(frozen=True)
class Output:
    """What is known about the size of an output.

    Args:
        dtype: NumPy dtype; `object` for byte strings.
        shape: tuple of int.
        string_bytes: int. Total length of all strings.
    """

    dtype: np.dtype
    shape: tuple
    string_bytes: int = 0

    @property
    def size(self):
        """int. Number of elements."""
        return math.prod(self.shape)


def expected(outputs, inputs):
    """Returns lower bounds for the outputs of a request: dict of `Output`.

    Args:
        outputs: dict of `TensorSpec`. A first dimension of any size is taken to be the
            number of rows; other unknown dimensions count as 1, an unknown shape as
            nothing.
        inputs: dict from names to `(dtype, shape)`.
    """
    rows = max((shape[0] for _, shape in inputs.values() if shape), default=1)
    bounds = {}
    for name, spec in outputs.items():
        if spec.shape is None:
            shape = (0,)
        else:
            fill = [rows] + [1] * len(spec.shape)
            shape = tuple(
                fill[i] if size is None else size for i, size in enumerate(spec.shape)
            )
        bounds[name] = Output(spec.dtype, shape)
    return bounds


def actual(outputs):
    """Returns a dict of `Output` for computed arrays."""
    return {
        name: Output(
            array.dtype,
            array.shape,
            sum(map(len, array.flat)) if array.dtype.kind == "O" else 0,
        )
        for name, array in outputs.items()
    }


def message_bytes(outputs):
    """Returns the size in bytes of a gRPC message with a dict of `Output`."""
    return sum(
        _OF_A_TENSOR
        + len(name.encode())
        + _OF_A_DIMENSION * len(output.shape)
        + output.size
        * (_OF_A_STRING if output.dtype.kind == "O" else output.dtype.itemsize)
        + output.string_bytes
        for name, output in outputs.items()
    )


def json_bytes(outputs, by_row):
    """Returns the size in bytes of a JSON answer.

    Args:
        outputs: dict of `Output`.
        by_row: bool. Whether the answer has one object per row, which repeats the names
            of the outputs.
    """
    total = _OF_A_TENSOR
    for name, output in outputs.items():
        times = output.shape[0] if by_row and output.shape else 1
        lists = sum(math.prod(output.shape[:i]) for i in range(len(output.shape)))
        total += times * (len(json.dumps(name)) + 2 + _SEPARATOR)
        total += lists * (len("[]") + _SEPARATOR)
        total += output.size * (_characters(output) + _SEPARATOR)
        total += _encoded_bytes(name, output)
        if by_row:
            total += times * (len("{}") + _SEPARATOR)
    return total


def check(size, max_bytes):
    """Refuses an answer that is too large.

    The code says that the request is at fault. `RESOURCE_EXHAUSTED` would become 429
    over REST, after which clients try the same request again.

    Args:
        size: int. Size of the answer in bytes.
        max_bytes: int. Largest size that is allowed.

    Raises:
        ServingError: `INVALID_ARGUMENT` if the answer is too large.
    """
    if size > max_bytes:
        raise invalid(
            f"The answer would have up to {size:,} bytes, but may have {max_bytes:,} "
            "at most (--max-answer-bytes). Ask for fewer rows at a time; over gRPC, "
            "numbers take a fraction of the bytes."
        )


def _characters(output):
    """Returns the largest number of characters of an element of this dtype."""
    kind, dtype = output.dtype.kind, output.dtype
    if kind in "iu":
        limits = np.iinfo(dtype)
        return max(len(str(limits.min)), len(str(limits.max)))
    if kind == "O":
        return _OF_A_STRING
    if kind == "b":
        return len("false")
    # Also for float32: Python writes the shortest text of the equal 64-bit number.
    return len("-1.7976931348623157e+308")


def _encoded_bytes(name, output):
    if not name.endswith("_bytes"):
        return _TEXT * output.string_bytes
    return 4 * output.string_bytes // 3 + 4 * output.size
