"""Requests in the Open Inference Protocol over HTTP, e.g. to KServe, MLServer, Triton.

In this protocol, a model has a single function without a name; see
https://github.com/kserve/open-inference-protocol.
"""

import json
import math

import numpy as np

from keras_sagan.serving.client.rest_transport import RestTransport, member
from keras_sagan.serving.errors import Code, ServingError
from keras_sagan.serving.signatures import Signature, TensorSpec

_DTYPES = {
    "BOOL": "bool",
    "FP32": "float32",
    "FP64": "float64",
    "INT32": "int32",
    "INT64": "int64",
    "UINT8": "uint8",
}


class OpenInferenceTransport(RestTransport):
    """HTTP connections to a served model; arguments as for `RestTransport`."""

    def predict(self, name, signature, inputs, timeout):
        """Runs the model on a dict of arrays, and returns such a dict."""
        body = json.dumps(
            {
                "inputs": [
                    _to_json(key, value, signature.inputs.get(key))
                    for key, value in inputs.items()
                ],
                "outputs": [{"name": key} for key in signature.outputs],
            }
        ).encode()
        answer = self.request("POST", f"{self.path}/infer", timeout, body)
        outputs = {member(x, "name"): x for x in _list(answer, "outputs")}
        return {
            key: _from_json(member(outputs, key), spec)
            for key, spec in signature.outputs.items()
        }

    def signatures(self, timeout):
        """Returns the only signature of the model, under its name in a SavedModel."""
        answer = self.request("GET", self.path, timeout)
        signature = Signature(
            _specs(_list(answer, "inputs")), _specs(_list(answer, "outputs"))
        )
        return {_name(signature): signature}

    def status(self, timeout):
        """Returns the state of every version: dict from number to name of the state."""
        versions = self.request("GET", self.path, timeout).get("versions") or ["0"]
        return dict.fromkeys(map(int, versions), self._state(timeout))

    def _state(self, timeout):
        try:
            self.request("GET", f"{self.path}/ready", timeout)
        except ServingError as error:
            if error.code in (Code.UNAVAILABLE, Code.INVALID_ARGUMENT):
                return "LOADING"
            raise
        return "AVAILABLE"


def _name(signature):
    """Returns the name that a signature has in a SavedModel."""
    if "seed" in signature.inputs:
        return "generate"
    return "attention" if len(signature.outputs) > 1 else "serving_default"


def _specs(tensors):
    return {
        member(tensor, "name"): TensorSpec(
            _dtype(tensor),
            tuple(None if size < 0 else size for size in member(tensor, "shape")),
        )
        for tensor in tensors
    }


def _dtype(tensor):
    name = member(tensor, "datatype")
    if name not in _DTYPES:
        message = f"Tensors of type {name} are not supported over this protocol."
        raise ServingError(Code.UNIMPLEMENTED, message)
    return np.dtype(_DTYPES[name])


def _to_json(name, array, spec):
    array = np.asarray(array)
    names = {np.dtype(dtype): kind for kind, dtype in _DTYPES.items()}
    shape = list(array.shape)
    if spec is not None and len(spec.shape) == 2 and array.ndim == 1:
        shape.append(1)  # Triton has no rows of scalars
    return {
        "name": name,
        "datatype": names[array.dtype],
        "shape": shape,
        "data": array.ravel().tolist(),
    }


def _from_json(tensor, spec):
    shape = tuple(member(tensor, "shape"))
    try:
        array = np.asarray(member(tensor, "data"), spec.dtype).ravel()
        if array.size != math.prod(shape):
            raise ValueError(f"{array.size} values for the shape {shape}")
        return array.reshape(shape)
    except (ValueError, TypeError, OverflowError) as error:
        message = f"The answer does not fit its signature: {error}"
        raise ServingError(Code.INTERNAL, message) from error


def _list(answer, key):
    value = member(answer, key)
    if not isinstance(value, list):
        message = f"The answer lacks a list {key!r}: {str(answer)[:80]}"
        raise ServingError(Code.INTERNAL, message)
    return value
