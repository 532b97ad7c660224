"""Requests to TensorFlow Serving over its REST interface."""

import base64
import binascii
import json

import numpy as np
import urllib3

from keras_sagan.listening.access import bearer
from keras_sagan.serving import tensors
from keras_sagan.serving.client import deadlines
from keras_sagan.serving.errors import Code, ServingError, code_of_http
from keras_sagan.serving.signatures import Signature, TensorSpec


class RestTransport:
    """HTTP connections to a served model.

    Byte strings are sent as base64 in objects `{"b64": ...}`, which is what TensorFlow
    Serving does for tensors whose names end in `_bytes`.

    Args:
        address: `Address` with the scheme `http` or `https`. With `https`, the
            environment variable SSL_CERT_FILE can name the certificates to trust, as
            for OpenSSL.
        max_message_bytes: int. Size of the largest answer that is accepted.
        token: str, or `None`. Sent with every request.
    """

    def __init__(self, address, max_message_bytes, token=None):
        self.path = address.rest_path
        self._max_bytes = max_message_bytes
        self._headers = {} if token is None else {"Authorization": bearer(token)}
        self._pool = deadlines.connections(
            f"{address.scheme}://{address.target}", maxsize=32, retries=False
        )

    def predict(self, name, signature, inputs, timeout):
        """Runs the signature `name` on a dict of arrays, and returns such a dict."""
        columns = {key: _to_json(value) for key, value in inputs.items()}
        body = json.dumps({"signature_name": name, "inputs": columns}).encode()
        answer = self.request("POST", f"{self.path}:predict", timeout, body)
        outputs = member(answer, "outputs")
        if len(signature.outputs) == 1:  # REST leaves out the name of an only output
            outputs = {next(iter(signature.outputs)): outputs}
        return {
            key: _from_json(member(outputs, key), spec)
            for key, spec in signature.outputs.items()
        }

    def signatures(self, timeout):
        """Returns the signatures of the model: dict from name to `Signature`."""
        answer = self.request("GET", f"{self.path}/metadata", timeout)
        content = member(answer, "metadata", "signature_def", "signature_def")
        return {
            name: Signature(
                _specs(content[name].get("inputs", {})),
                _specs(content[name]["outputs"]),
            )
            for name in sorted(content)
            if content[name].get("outputs")
        }

    def status(self, timeout):
        """Returns the state of every version: dict from number to name of the state."""
        answer = self.request("GET", self.path, timeout)
        return {
            int(version["version"]): version["state"]
            for version in member(answer, "model_version_status")
        }

    def close(self):
        """Closes the connections."""
        self._pool.close()

    def request(self, method, path, timeout, body=None):
        """Sends a request and returns the answer, parsed from JSON.

        Raises:
            ServingError: if the request fails, or if the answer is too large or is not
                JSON.
        """
        headers = {"Content-Type": "application/json"} if body else {}
        with deadlines.within(timeout):
            try:
                response = self._pool.urlopen(
                    method,
                    path,
                    body=body,
                    headers=headers | self._headers,
                    timeout=urllib3.Timeout(total=timeout),
                    redirect=False,
                    preload_content=False,  # `_read` stops at the limit
                )
                content = self._read(response)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise _failure(error, timeout) from error
        if response.status != 200:
            raise ServingError(
                code_of_http(response.status),
                _error_text(response.status, content),
                _seconds(response.headers.get("Retry-After")),
            )
        try:
            return json.loads(content or b"{}")  # readiness may have no body
        except (ValueError, RecursionError) as error:
            message = f"The answer is not JSON: {content[:80]!r}"
            raise ServingError(Code.INTERNAL, message) from error

    def _read(self, response):
        try:
            content = response.read(self._max_bytes + 1)
        finally:
            response.release_conn()
        if len(content) > self._max_bytes:
            response.close()  # the rest of the answer would come first the next time
            raise ServingError(
                Code.RESOURCE_EXHAUSTED,
                f"The answer has more than max_message_bytes={self._max_bytes} bytes.",
            )
        return content


def _failure(error, timeout):
    refused = isinstance(error, urllib3.exceptions.NewConnectionError)
    late = isinstance(error, urllib3.exceptions.TimeoutError) and not refused
    if late or deadlines.is_over():
        message = f"No answer within {timeout:.3g} seconds."
        return ServingError(Code.DEADLINE_EXCEEDED, message)
    return ServingError(Code.UNAVAILABLE, f"The server cannot be reached: {error}")


def _to_json(array):
    array = np.asarray(array)
    if array.dtype == tensors.STRING:
        return _encoded(array.tolist())
    return array.tolist()


def _encoded(value):
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    return {"b64": base64.b64encode(value).decode("ascii")}


def _from_json(value, spec):
    try:
        if spec.dtype == tensors.STRING:
            return _decoded(value)
        return np.asarray(value, spec.dtype)
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        message = f"The answer does not fit its signature: {error}"
        raise ServingError(Code.INTERNAL, message) from error


def _decoded(values):
    """Returns a list of base64 objects as an array of `bytes` objects."""
    items = [base64.b64decode(member(item, "b64"), validate=True) for item in values]
    # `np.asarray(items)` has fixed-width strings, which lose trailing zero bytes.
    array = np.empty(len(items), tensors.STRING)
    array[:] = items
    return array


def _specs(infos):
    specs = {}
    for name in sorted(infos):
        shape = infos[name].get("tensor_shape", {})
        sizes = [int(dim["size"]) for dim in shape.get("dim", [])]
        specs[name] = TensorSpec(
            tensors.dtype_of_name(infos[name]["dtype"]),
            None
            if shape.get("unknown_rank")
            else tuple(None if size < 0 else size for size in sizes),
        )
    return specs


def member(value, *keys):
    """Returns the value under nested keys of an answer, or raises a `ServingError`."""
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            message = f"The answer lacks {key!r}: {str(value)[:80]}"
            raise ServingError(Code.INTERNAL, message)
        value = value[key]
    return value


def _error_text(status, content):
    """Returns the error message of TensorFlow Serving, or the text of a proxy."""
    try:
        return str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        text = content[:200].decode("utf-8", "replace").strip()
        return f"HTTP {status}: {text}" if text else f"HTTP {status}"


def _seconds(text):
    try:
        return max(0.0, float(text or 0))
    except ValueError:  # HTTP also allows a date here; servers like these send seconds
        return 0.0
