"""The server's REST, spoken without the package's client."""

import base64
import json
import urllib.error
import urllib.request

import numpy as np
import pytest


def ask(url, body=None, method=None):
    """Returns `(status, JSON)`."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


ROWS = [
    {"seed": 5, "label": 1, "truncation": 0.0},
    {"seed": 6, "label": 2, "truncation": 0.5},
]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}


def test_rows_and_columns(server):
    generate = {"signature_name": "generate"}
    status, by_row = ask(f"{server.rest}:predict", generate | {"instances": ROWS})
    assert status == 200
    status, by_column = ask(f"{server.rest}:predict", generate | {"inputs": COLUMNS})
    assert status == 200
    assert by_row["predictions"] == by_column["outputs"]
    images = np.array(by_row["predictions"])
    assert images.shape == (2, 32, 32, 3) and images.dtype == np.int64


def test_bytes_are_base64(server):
    body = {"signature_name": "generate_png", "instances": ROWS}
    _, answer = ask(f"{server.rest}/versions/1:predict", body)
    for row in answer["predictions"]:
        assert base64.b64decode(row["b64"]).startswith(b"\x89PNG\r\n")


def test_several_outputs_have_names(server):
    rows = [{"latent": [0.0] * 128, "label": 3}]
    body = {"signature_name": "attention", "instances": rows}
    _, answer = ask(f"{server.rest}:predict", body)
    [row] = answer["predictions"]
    assert len(row) > 1 and np.shape(row["images"]) == (32, 32, 3)


def test_status_in_the_words_of_tensorflow_serving(server):
    assert ask(server.rest) == (
        200,
        {
            "model_version_status": [
                {
                    "version": "1",
                    "state": "AVAILABLE",
                    "status": {"error_code": "OK", "error_message": ""},
                }
            ]
        },
    )


def test_metadata_in_the_form_of_tensorflow_serving(server):
    status, answer = ask(f"{server.rest}/metadata")
    assert status == 200
    assert answer["model_spec"] == {
        "name": "glyphs",
        "signature_name": "",
        "version": "1",
    }
    signature = answer["metadata"]["signature_def"]["signature_def"]["generate"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["seed"]["dtype"] == "DT_INT64"
    shape = {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
    assert signature["inputs"]["seed"]["tensor_shape"] == shape


def test_health(server):
    url = server.rest.partition("/v1/")[0]
    assert ask(f"{url}/healthz") == (200, {"status": "SERVING"})


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/versions/2", None, 404, "Specific(glyphs, 2)"),
        ("/labels/x", None, 400, "version label: x"),
        ("/versions/2:predict", {}, 404, "Specific(glyphs, 2)"),
        (":predict", {"inputs": {}, "signature_name": "x"}, 400, '"x" not found'),
        (":classify", {}, 501, "Only :predict"),
        ("/nothing", None, 400, "Malformed request: GET /v1/models/glyphs/nothing"),
    ],
)
def test_errors(server, path, body, status, message):
    got, answer = ask(f"{server.rest}{path}", body)
    assert got == status
    assert message in answer["error"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/", 404, "There is no /: requests go to /v1/models/NAME"),
        ("/v1", 404, "There is no /v1"),
        ("/v2/models/glyphs", 404, "There is no /v2/models/glyphs"),
        ("/metrics", 404, "There is no /metrics"),
        ("/v1/", 400, "Malformed request: "),
        ("/V1/nothing", 400, "Malformed request: "),
        ("/v1/models", 400, "Malformed request: "),
    ],
)
def test_unknown_addresses(server, method, path, status, message):
    """As in TensorFlow Serving, whose dispatcher looks for `(?i)/v1/.*` only."""
    url = server.rest.partition("/v1/")[0] + path
    got, answer = ask(url, {} if method == "POST" else None, method)
    assert got == status
    assert message in answer["error"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_methods_that_no_address_has(server, method):
    got, answer = ask(server.rest, method=method)
    assert got == 400
    assert f"Malformed request: {method} /v1/models/glyphs" in answer["error"]
