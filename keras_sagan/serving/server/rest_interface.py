"""The REST interface of the development server: its addresses and their answers.

Both are those of TensorFlow Serving (model_servers/http_rest_api_handler.cc,
http_server.cc).
"""

import re
import urllib.parse

from google.protobuf import json_format
from tensorflow_serving.apis import model_pb2

from keras_sagan.serving.errors import Code, ServingError, invalid
from keras_sagan.serving.server import answer_size, grpc_services, json_tensors

_MODELS = r"(?i:/v1/models)/"
_VERSION = r"(?:/versions/(?P<version>\d{1,18})|/labels/(?P<label>[^/:]+))?"
_PREDICT = re.compile(
    rf"{_MODELS}(?P<model>[^/:]+){_VERSION}:(?P<method>predict|classify|regress)"
)
_DESCRIBE = re.compile(rf"{_MODELS}(?P<model>[^/:]+){_VERSION}(?P<metadata>/metadata)?")
_SERVED = re.compile(r"(?i:/v1/).*")


class RestInterface:
    """Answers REST requests. `RestServer` speaks HTTP and calls it from its threads.

    Args:
        model: `ServedModel`.
        limits: `Limits`.
    """

    def __init__(self, model, limits):
        self._model = model
        self._limits = limits

    def health(self):
        """Returns the state of the server, or raises a `ServingError` if it shuts down.

        Returns: dict that JSON can represent.
        """
        if not self._model.admission.is_open:
            raise ServingError(Code.UNAVAILABLE, "The server is shutting down.")
        return {"status": "SERVING"}

    def refuse(self, method, path):
        """Raises the `ServingError` for an unknown address or method.

        Its code is `INVALID_ARGUMENT` below `/v1/` and `NOT_FOUND` elsewhere, as in
        TensorFlow Serving.
        """
        if _SERVED.fullmatch(path):
            raise invalid(f"Malformed request: {method} {path[:200]}")
        message = f"There is no {path[:200]}: requests go to /v1/models/NAME."
        raise ServingError(Code.NOT_FOUND, message)

    def get(self, path):
        """Answers `GET path`; returns a value that JSON can represent.

        Raises:
            ServingError: if the address or the model is unknown.
        """
        match = _DESCRIBE.fullmatch(path)
        if not match:
            self.refuse("GET", path)
        if match["metadata"]:
            return self._metadata(_spec(match))
        return _answer_text(grpc_services.status(self._model, _spec(match)))

    def _metadata(self, spec):
        """Returns the signatures in JSON, as TensorFlow Serving writes them.

        The message of gRPC cannot be used, because it has them packed in an `Any`.
        """
        version, servable = grpc_services.find(self._model, spec)
        spec = model_pb2.ModelSpec(name=self._model.name)
        spec.version.value = version
        definitions = grpc_services.signature_definitions(servable)
        return {
            "model_spec": _answer_text(spec),
            "metadata": {"signature_def": _answer_text(definitions)},
        }

    def post(self, path, body):
        """Answers `POST path`; returns a value that JSON can represent.

        Raises:
            ServingError: if the request is refused or fails.
        """
        match = _PREDICT.fullmatch(path)
        if not match:
            self.refuse("POST", path)
        if match["method"] != "predict":
            message = f"Only :predict is served. Received: :{match['method']}"
            raise ServingError(Code.UNIMPLEMENTED, message)
        _, servable = grpc_services.find(self._model, _spec(match))
        # Parsed JSON takes many times the memory of its text, so only a few requests
        # are parsed at a time.
        with self._model.admission.running(self._limits.timeout):
            return _predict(servable, body, self._limits.max_answer_bytes)


def _predict(servable, body, max_bytes):
    request = json_tensors.parse_request(body)
    name = request.get("signature_name", "")
    signature = servable.signature(name)
    columns = json_tensors.columns(request, signature)
    types = _signature_json(columns, signature.inputs)
    servable.check(signature, types)
    by_row = json_tensors.ROW in request
    expected = answer_size.expected(signature.outputs, types)
    answer_size.check(answer_size.json_bytes(expected, by_row), max_bytes)
    inputs = {
        key: json_tensors.to_array(key, value, signature.inputs[key])
        for key, value in columns.items()
    }
    outputs = servable.run(name, inputs)
    # Checked again, now that strings and unknown dimensions can be counted.
    actual = answer_size.actual(outputs)
    answer_size.check(answer_size.json_bytes(actual, by_row), max_bytes)
    return json_tensors.to_json(outputs, by_row)


def _answer_text(message):
    return json_format.MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )


def _signature_json(columns, specs):
    return {
        key: (specs[key].dtype if key in specs else None, json_tensors.shape_of(value))
        for key, value in columns.items()
    }


def _spec(match):
    spec = model_pb2.ModelSpec(name=urllib.parse.unquote(match["model"]))
    if match["version"]:
        spec.version.value = int(match["version"])
    if match["label"]:
        spec.version_label = urllib.parse.unquote(match["label"])
    return spec
