"""Reads and writes tensors in the JSON format of TensorFlow Serving's REST interface.

A request has either `inputs` (columns: one value for each input) or `instances` (rows:
one value for each input in each row), and its answer has `outputs` or `predictions`,
respectively. Source: tensorflow_serving/util/json_tensor.cc.
"""

import base64
import binascii
import json

import numpy as np

from keras_sagan.serving.errors import invalid

ROW, COLUMN = "instances", "inputs"
_LIMITS = {  # of integers
    name: (int(np.iinfo(name).min), int(np.iinfo(name).max))
    for name in ("int32", "int64", "uint8")
}


def parse_request(body):
    """Parses the body of a request (bytes) and returns the JSON object in it.

    Raises:
        ServingError: `INVALID_ARGUMENT` if it is not an object with exactly one of the
            keys `inputs` and `instances`, or if `signature_name` is not a string.
    """
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error or 'nested too deeply'}") from error
    if not isinstance(request, dict):
        raise invalid(f"JSON Value: {_shown(request)} Is not object")
    if not isinstance(request.get("signature_name", ""), str):
        raise invalid("'signature_name' key must be a string value.")
    if ROW in request and COLUMN in request:
        raise invalid("Expecting only one of 'inputs' or 'instances' keys to exist")
    if ROW not in request and COLUMN not in request:
        raise invalid("Missing 'inputs' or 'instances' key")
    return request


def columns(request, signature):
    """Returns the inputs of a parsed request, as a dict from names to nested lists.

    Raises:
        ServingError: `INVALID_ARGUMENT` if they do not name the inputs, or if rows have
            different keys.
    """
    if COLUMN in request:
        return _named(request[COLUMN], signature, "'inputs'")
    rows = request[ROW]
    if not isinstance(rows, list) or not rows:
        raise invalid("Expecting 'instances' to be a list with at least one value")
    named = [
        _named(row, signature, f"element {number} of 'instances'")
        for number, row in enumerate(rows)
    ]
    names = set(named[0])
    for number, row in enumerate(named):
        if set(row) != names:
            raise invalid(
                f"Element {number} of 'instances' has the keys {sorted(row)}; the "
                f"first has {sorted(names)}."
            )
    return {name: [row[name] for row in named] for name in named[0]}


def _named(value, signature, where):
    """Returns an object unchanged, and any other value as that of the only input."""
    if isinstance(value, dict) and not _is_base64(value):
        return value
    if len(signature.inputs) != 1:
        raise invalid(
            f"Expecting an object in {where}, with the keys {sorted(signature.inputs)}."
        )
    return {next(iter(signature.inputs)): value}


def shape_of(value):
    """Returns the shape of nested lists, judging by their first elements."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def to_array(name, value, spec):
    """Converts nested lists to an array.

    Args:
        name: str. Name of the input, for messages.
        value: nested lists, or a single value, from JSON.
        spec: `TensorSpec` of the input.

    Raises:
        ServingError: `INVALID_ARGUMENT` if lists have unequal lengths, or if a value is
            out of range or of the wrong type.
    """
    shape = shape_of(value)
    flat = []
    _flatten(name, value, shape, flat)
    is_valid = _CHECKS.get(spec.dtype.kind)
    if is_valid is None:
        raise invalid(f"Input {name!r} of type {spec.dtype} cannot be sent as JSON.")
    for item in flat:
        if not is_valid(item, spec.dtype):
            raise invalid(
                f"JSON Value: {_shown(item)} of input {name!r} is not of expected "
                f"type: {'finite ' if spec.dtype.kind == 'f' else ''}{spec.dtype}"
            )
    if spec.dtype.kind == "O":
        flat = [_bytes(item) for item in flat]
    array = np.empty(len(flat), spec.dtype)
    array[:] = flat
    return array.reshape(shape)


def _flatten(name, value, shape, flat):
    if not shape:
        if isinstance(value, list):
            raise invalid(f"Input {name!r} has a list at an unexpected level.")
        flat.append(value)
        return
    if not isinstance(value, list) or len(value) != shape[0]:
        raise invalid(f"Input {name!r} has lists of unequal lengths or depths.")
    for item in value:
        _flatten(name, item, shape[1:], flat)


def _is_integer(value, dtype):
    low, high = _LIMITS[dtype.name]
    return type(value) is int and low <= value <= high  # `type` excludes True and False


def _is_number(value, dtype):
    # Comparisons with NaN are false, so that it is refused like infinity.
    return type(value) in (int, float) and abs(value) <= float(np.finfo(dtype).max)


def _is_string(value, dtype):
    del dtype
    return isinstance(value, str) or _is_base64(value)


_CHECKS = {"i": _is_integer, "u": _is_integer, "f": _is_number, "O": _is_string}


def _is_base64(value):
    return (
        isinstance(value, dict) and list(value) == ["b64"] and type(value["b64"]) is str
    )


def _bytes(value):
    if isinstance(value, str):
        return value.encode()
    try:
        return base64.b64decode(value["b64"], validate=True)
    except binascii.Error as error:
        raise invalid("Unable to base64 decode") from error


def to_json(outputs, by_row):
    """Returns the answer, with `predictions` by row or `outputs` by column.

    A single output is written without its name. Byte strings are written as base64
    objects if the name of the output ends in `_bytes`, otherwise as text.

    Args:
        outputs: dict from names to arrays.
        by_row: bool.

    Returns: dict of values that JSON can represent.
    """
    lists = {name: _listed(name, array) for name, array in outputs.items()}
    only = next(iter(lists.values())) if len(lists) == 1 else None
    if not by_row:
        return {"outputs": lists if only is None else only}
    if only is not None:
        return {"predictions": only}
    count = min(len(column) for column in lists.values())
    rows = [{name: lists[name][i] for name in lists} for i in range(count)]
    return {"predictions": rows}


def _listed(name, array):
    if array.dtype.kind != "O":
        return array.tolist()
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(item).decode("ascii")} for item in array]
    return [item.decode("utf-8", "replace") for item in array]


def _shown(value):
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
