"""Malformed requests to a server of the bundled model, and what each must meet.

Every function makes one request from a random generator and names the statuses that
are right for it; `requests` goes through all of them again and again. REST statuses
are numbers, gRPC's are names.
"""

import dataclasses
import json

import numpy as np

from keras_sagan.serving import messages, tensors

BIG = 100 * 10**6
MAX_BATCH = 64
INVALID = "INVALID_ARGUMENT"
_REST, _GRPC = [], []


@dataclasses.dataclass
class Request:
    """A request and the statuses that are right for it.

    `body` is what is sent; `path` an HTTP path after the model's, or a gRPC method.
    """

    name: str
    path: str
    body: bytes
    expected: set
    method: str = "POST"
    chunked: bool = False


def requests(count, seed):
    """Yields `count` requests, REST and gRPC in turns."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        makers = (_REST, _GRPC)[i % 2]
        yield makers[i // 2 % len(makers)](rng)


def rest(function):
    """Registers a maker of REST requests: returns `(path, body, expected, ...)`."""
    _REST.append(lambda rng: Request(f"rest {function.__name__}", *function(rng)))
    return function


def grpc(function):
    """Registers a maker of gRPC requests: returns `(method, body, expected)`."""
    _GRPC.append(lambda rng: Request(f"grpc {function.__name__}", *function(rng)))
    return function


# === REST ===


def good_columns(rng, rows=2):
    """Inputs of `generate` as JSON has them."""
    return {
        "seed": rng.integers(-(2**40), 2**40, rows).tolist(),
        "truncation": [0.0] * rows,
        "label": rng.integers(0, 10, rows).tolist(),
    }


def _body(columns, signature="generate", key="inputs"):
    return json.dumps({"signature_name": signature, key: columns}).encode()


def _predict(body, expected=400, path=":predict"):
    return path, body, {expected}


def _changed(rng, **changes):
    return _predict(_body(good_columns(rng) | changes))


@rest
def truncated_json(rng):
    body = _body(good_columns(rng))
    return _predict(body[: rng.integers(0, len(body) - 1)])


@rest
def random_bytes(rng):
    return _predict(rng.bytes(rng.integers(1, 2000)))


@rest
def mutated_json(rng):
    """May still be a good request: then the answer is 200."""
    body = bytearray(_body(good_columns(rng)))
    for place in rng.integers(0, len(body), 3):
        body[place] = rng.integers(32, 127)
    return ":predict", bytes(body), {200, 400}


@rest
def wrong_type(rng):
    values = ["x", None, True, 1.5, {"b64": "AA=="}, {}, 2**63, -(2**63) - 1, 10**30]
    name = ["seed", "label"][rng.integers(2)]
    return _changed(rng, **{name: [1, values[rng.integers(len(values))]]})


@rest
def wrong_rank(rng):
    values = [3, [[1], [2]], [[[1, 2]]], [], [[]], [1, [2]], [[1], 2]]
    name = ["seed", "label", "truncation"][rng.integers(3)]
    return _changed(rng, **{name: values[rng.integers(len(values))]})


@rest
def unequal_lengths(rng):
    return _changed(rng, label=[1] * int(rng.choice([1, 3, 60])))


@rest
def label_out_of_range(rng):
    return _changed(rng, label=[0, int(rng.choice([-1, 10, 99, 2**31 - 1, -(2**31)]))])


@rest
def label_beyond_int32(rng):
    return _changed(rng, label=[0, int(rng.choice([2**31, 2**40, -(2**31) - 1]))])


@rest
def truncation_out_of_range(rng):
    values = [-1.0, float("nan"), float("inf"), float("-inf"), 1e300]
    return _changed(rng, truncation=[0.0, values[rng.integers(len(values))]])


@rest
def latent_not_finite(rng):
    latent = rng.normal(size=(2, 128))
    latent[1, rng.integers(128)] = rng.choice([np.nan, np.inf, -np.inf])
    columns = {"latent": latent.tolist(), "label": [0, 1]}
    return _predict(_body(columns, "serving_default"))


@rest
def latent_of_another_length(rng):
    size = int(rng.choice([1, 127, 129, 4096]))
    columns = {"latent": [[0.0] * size], "label": [0]}
    return _predict(_body(columns, "serving_default"))


@rest
def ragged_latent(rng):
    columns = {"latent": [[0.0] * 128, [0.0] * 127], "label": [0, 1]}
    return _predict(_body(columns, "attention"))


@rest
def too_many_rows(rng):
    rows = int(rng.choice([MAX_BATCH + 1, 1000, 20_000]))
    return _predict(_body(good_columns(rng, rows)))


@rest
def missing_input(rng):
    columns = good_columns(rng)
    del columns[list(columns)[rng.integers(3)]]
    return _predict(_body(columns))


@rest
def extra_input(rng):
    return _changed(rng, extra=[1, 2])


@rest
def rows_with_other_keys(rng):
    rows = [{"seed": 1, "label": 2, "truncation": 0.0}, {"seed": 1, "label": 2}]
    return _predict(_body(rows, key="instances"))


@rest
def rows_that_are_none(rng):
    values = [[], {}, 7, "x", None, [None], [[]], [1, 2]]
    return _predict(_body(values[rng.integers(len(values))], key="instances"))


@rest
def deep_nesting(rng):
    depth = int(rng.choice([50, 5_000, 200_000]))
    return _predict(b'{"inputs": ' + b"[" * depth + b"]" * depth + b"}")


@rest
def huge_number(rng):
    return _predict(b'{"inputs": {"seed": [' + b"9" * 6000 + b"]}}")


@rest
def both_formats(rng):
    return _predict(b'{"inputs": {}, "instances": []}')


@rest
def unknown_signature(rng):
    return _predict(_body(good_columns(rng), "generate" + chr(rng.integers(97, 123))))


@rest
def signature_of_another_type(rng):
    return _predict(_body(good_columns(rng), [7, None, {}][rng.integers(3)]))


@rest
def unknown_version(rng):
    version = rng.choice([0, 2, 999, 10**17])
    return _predict(_body(good_columns(rng)), 404, f"/versions/{version}:predict")


@rest
def malformed_version(rng):
    version = ["x", "-1", "1.0", "9" * 40][rng.integers(4)]
    return _predict(_body(good_columns(rng)), 400, f"/versions/{version}:predict")


@rest
def unknown_label(rng):
    return _predict(_body(good_columns(rng)), 400, "/labels/none:predict")


@rest
def other_model(rng):
    return _predict(_body(good_columns(rng)), 404, "x:predict")


@rest
def other_method(rng):
    method = ["classify", "regress"][rng.integers(2)]
    return _predict(_body(good_columns(rng)), 501, f":{method}")


@rest
def unknown_address(rng):
    path = ["/../x", ":explode", "/a/b/c", "/versions", "%00%ff"][rng.integers(5)]
    return _predict(b"{}", 400, path)


@rest
def http_method(rng):
    method = ["PUT", "DELETE", "PATCH", "OPTIONS"][rng.integers(4)]
    return ":predict", b"{}", {400}, method


@rest
def big_body(rng):
    return ":predict", bytes(BIG), {413}, "POST", bool(rng.integers(2))


# === gRPC ===

PREDICT = "/tensorflow.serving.PredictionService/Predict"


def good_arrays(rng, rows=2):
    """Inputs of `generate` as arrays."""
    return {
        "seed": rng.integers(-(2**40), 2**40, rows),
        "truncation": np.zeros(rows, "float32"),
        "label": rng.integers(0, 10, rows).astype("int32"),
    }


def _message(arrays, signature="generate", model="glyphs"):
    request = messages.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, array in arrays.items():
        request.inputs[name].CopyFrom(tensors.to_message(array))
    return request


def _sent(request, *expected):
    return PREDICT, request.SerializeToString(), set(expected or [INVALID])


def _altered(rng, **changes):
    return _sent(_message(good_arrays(rng) | changes))


def _tensor(rng, change, name="seed"):
    request = _message(good_arrays(rng))
    change(request.inputs[name])
    return _sent(request)


@grpc
def garbage(rng):
    """No message at all: gRPC itself answers."""
    body = b"\xff" + rng.bytes(rng.integers(1, 2000))
    return PREDICT, body, {"INTERNAL"}


@grpc
def cut_off(rng):
    body = _message(good_arrays(rng)).SerializeToString()
    return PREDICT, body[: rng.integers(1, len(body) - 1)], {"INTERNAL", INVALID}


@grpc
def mutated(rng):
    """May still be a good request, or one for another model or signature."""
    body = bytearray(_message(good_arrays(rng)).SerializeToString())
    for place in rng.integers(0, len(body), 3):
        body[place] = rng.integers(256)
    expected = {"OK", "INTERNAL", INVALID, "NOT_FOUND", "FAILED_PRECONDITION"}
    return PREDICT, bytes(body), expected


@grpc
def empty(rng):
    return PREDICT, b"", {INVALID}


@grpc
def type_number(rng):
    number = int(rng.choice([0, 1, 2, 7, 8, 14, 20, 21, 23, 30, 101, 999, -1]))
    return _tensor(rng, lambda tensor: setattr(tensor, "dtype", number))


@grpc
def type_of_another_input(rng):
    types = ["float64", "int32", "uint8", "bool"]
    return _altered(rng, seed=np.ones(2, types[rng.integers(4)]))


@grpc
def string(rng):
    return _altered(rng, seed=np.array([b"1", b"2"], object))


@grpc
def rank(rng):
    shape = [(), (2, 1), (1,) * 9, (1,) * 64][rng.integers(4)]
    return _altered(rng, seed=np.ones(shape, "int64"))


@grpc
def shape_that_is_not_there(rng):
    size = int(rng.choice([-1, -(2**63), 3, 65, 2**31, 2**62]))
    return _tensor(rng, lambda t: setattr(t.tensor_shape.dim[0], "size", size))


@grpc
def one_value_for_many_rows(rng):
    """A short list stands for as many values as the shape claims."""

    def change(tensor):
        tensor.ClearField("tensor_content")
        tensor.int64_val.append(1)
        tensor.tensor_shape.dim[0].size = 2**40

    return _tensor(rng, change)


@grpc
def unknown_rank(rng):
    return _tensor(rng, lambda t: setattr(t.tensor_shape, "unknown_rank", True))


@grpc
def bytes_missing(rng):
    def change(tensor):
        tensor.tensor_content = tensor.tensor_content[: rng.integers(1, 16)]

    return _tensor(rng, change)


@grpc
def bytes_left_over(rng):
    def change(tensor):
        tensor.tensor_content += rng.bytes(8 * rng.integers(1, 100))

    return _tensor(rng, change)


@grpc
def too_many_values(rng):
    def change(tensor):
        tensor.ClearField("tensor_content")
        tensor.int64_val.extend([1] * int(rng.integers(3, 1000)))

    return _tensor(rng, change)


@grpc
def not_finite(rng):
    latent = rng.normal(size=(2, 128)).astype("float32")
    latent[0, rng.integers(128)] = rng.choice([np.nan, np.inf, -np.inf])
    arrays = {"latent": latent, "label": np.zeros(2, "int32")}
    return _sent(_message(arrays, ["serving_default", "attention"][rng.integers(2)]))


@grpc
def limits_of_truncation(rng):
    value = rng.choice([np.nan, np.inf, -1, -np.inf])
    return _altered(rng, truncation=np.float32([0, value]))


@grpc
def label_without_a_class(rng):
    value = rng.choice([-1, 10, 11, 2**31 - 1, -(2**31)])
    return _altered(rng, label=np.int32([0, value]))


@grpc
def lengths(rng):
    return _altered(rng, label=np.zeros(int(rng.choice([1, 3, 64])), "int32"))


@grpc
def no_rows(rng):
    return _sent(_message(good_arrays(rng, 0)))


@grpc
def many_rows(rng):
    return _sent(_message(good_arrays(rng, int(rng.choice([65, 1000, 50_000])))))


@grpc
def missing(rng):
    arrays = good_arrays(rng)
    del arrays[list(arrays)[rng.integers(3)]]
    return _sent(_message(arrays))


@grpc
def extra(rng):
    return _altered(rng, extra=np.zeros(2, "float32"))


@grpc
def no_signature_of_that_name(rng):
    name = "generat" + chr(rng.integers(102, 123))
    return _sent(_message(good_arrays(rng), name), "FAILED_PRECONDITION")


@grpc
def no_model_of_that_name(rng):
    name = ["other", "../glyphs", "é", "x" * 10_000][rng.integers(4)]
    return _sent(_message(good_arrays(rng), model=name), "NOT_FOUND")


@grpc
def no_such_version(rng):
    request = _message(good_arrays(rng))
    request.model_spec.version.value = int(rng.choice([0, 2, -1, 2**62]))
    return _sent(request, "NOT_FOUND")


@grpc
def no_such_label(rng):
    request = _message(good_arrays(rng))
    request.model_spec.version_label = "none"
    return _sent(request)


@grpc
def output_filter(rng):
    request = _message(good_arrays(rng))
    request.output_filter.extend([["nothing"], ["images"] * 2][rng.integers(2)])
    return _sent(request)


@grpc
def classify(rng):
    method = ["Classify", "Regress", "MultiInference", "Explode"][rng.integers(4)]
    return f"/tensorflow.serving.PredictionService/{method}", b"", {"UNIMPLEMENTED"}


@grpc
def reload(rng):
    path = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"
    return path, b"", {"UNIMPLEMENTED"}


@grpc
def metadata_field(rng):
    request = messages.GetModelMetadataRequest(metadata_field=["everything"])
    request.model_spec.name = "glyphs"
    path = "/tensorflow.serving.PredictionService/GetModelMetadata"
    return path, request.SerializeToString(), {INVALID}


@grpc
def status_of_another_model(rng):
    request = messages.GetModelStatusRequest()
    request.model_spec.name = "other"
    path = "/tensorflow.serving.ModelService/GetModelStatus"
    return path, request.SerializeToString(), {"NOT_FOUND"}


@grpc
def big_message(rng):
    return PREDICT, bytes(BIG), {"RESOURCE_EXHAUSTED"}


# === Sending ===


class Sender:
    """Sends requests as they are; returns `(status, message)`."""

    def __init__(self, grpc_url, rest_url):
        import grpc as grpc_library
        import urllib3

        from keras_sagan.serving.client.address import parse_address

        address, self._path = parse_address(grpc_url), parse_address(rest_url)
        options = [("grpc.max_send_message_length", -1)]
        self._channel = grpc_library.insecure_channel(address.target, options)
        self._error = grpc_library.RpcError
        self._pool = urllib3.connection_from_url(
            f"http://{self._path.target}", retries=False
        )

    def send(self, request):
        """Sends one request."""
        if request.name.startswith("grpc"):
            return self._send_grpc(request)
        return self._send_rest(request)

    def _send_grpc(self, request):
        call = self._channel.unary_unary(request.path)
        try:
            call(request.body, timeout=120)
        except self._error as error:
            return error.code().name, error.details()
        return "OK", "answered"

    def _send_rest(self, request):
        body = request.body
        if request.chunked:
            body = [body[i : i + 2**20] for i in range(0, len(body), 2**20)]
        answer = self._pool.urlopen(
            request.method,
            self._path.rest_path + request.path,
            body=body,
            headers={"Content-Type": "application/json"},
            chunked=request.chunked,
            timeout=120,
            redirect=False,
        )
        content = json.loads(answer.data)
        if answer.status == 200:
            return 200, "answered"
        return answer.status, content["error"]

    def close(self):
        """Closes the connections."""
        self._channel.close()
        self._pool.close()
