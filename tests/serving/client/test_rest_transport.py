"""Against an HTTP server that answers what a test tells it to."""

import base64
import contextlib
import http.server
import json
import pathlib
import socket
import ssl
import threading

import numpy as np
import pytest
import trustme

from keras_sagan.serving.client.client import Client
from keras_sagan.serving.client.retries import Retries
from keras_sagan.serving.errors import Code, ServingError

QUICK = Retries(attempts=4, initial_pause=0.01)
# An answer of TensorFlow Serving (9d981c5), from its own tests:
# servables/tensorflow/testdata/saved_model_half_plus_two_2_versions_metadata.json
HERE = pathlib.Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "tensorflow_serving_metadata.json"


def metadata(**outputs):
    shape = {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
    infos = {
        name: {"dtype": dtype, "tensor_shape": shape, "name": "x:0"}
        for name, dtype in outputs.items()
    }
    signature = {"inputs": {}, "outputs": infos, "method_name": ""}
    signatures = {"signature_def": {"signature_def": {"s": signature}}}
    return json.dumps({"metadata": signatures})


@contextlib.contextmanager
def answering(*answers, tls=None):
    """A server that gives each answer once, the last one for ever.

    An answer is `(status, body)` or `(status, body, headers)`. The requests, as
    `(method, path, body)`, are in the list that comes with the address.
    """
    answers, requests = list(answers), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("Content-Length", 0))
            requests.append((self.command, self.path, self.rfile.read(length)))
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            status, body, headers = (*answer, {})[:3]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = answer

        def log_message(self, *unused):
            pass

    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    scheme = "https" if tls else "http"
    try:
        yield f"{scheme}://localhost:{server.server_port}/v1/models/m", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_signatures_that_tensorflow_serving_describes():
    with answering((200, GOLDEN.read_text())) as (url, _), Client(url) as client:
        signatures = client.signatures()
    assert "serving_default" in signatures
    spec = signatures["regress_x2_to_y3"].inputs["inputs"]
    assert spec.dtype == np.float32 and spec.shape == (None, 1)
    classify = signatures["classify_x_to_y"].inputs["inputs"]
    assert classify.dtype == np.dtype("O") and classify.shape is None


def test_request_and_a_single_output():
    answers = (200, metadata(images="DT_UINT8")), (200, '{"outputs": [1, 2]}')
    with answering(*answers) as (url, requests):
        with Client(f"{url}/versions/3") as client:
            outputs = client.predict("s", {"seed": np.int64([5, -6])})
    assert outputs["images"].dtype == np.uint8 and outputs["images"].tolist() == [1, 2]
    assert requests[0][:2] == ("GET", "/v1/models/m/versions/3/metadata")
    method, path, body = requests[1]
    assert (method, path) == ("POST", "/v1/models/m/versions/3:predict")
    assert json.loads(body) == {"signature_name": "s", "inputs": {"seed": [5, -6]}}


def test_several_outputs_and_base64():
    data = b"\x89PNG\x00\xff"
    encoded = {"b64": base64.b64encode(data).decode()}
    outputs = {"image_bytes": [encoded], "score": [0.1]}
    known = metadata(image_bytes="DT_STRING", score="DT_FLOAT")
    answers = (200, known), (200, json.dumps({"outputs": outputs}))
    with answering(*answers) as (url, requests), Client(url) as client:
        got = client.predict("s", {"text_bytes": np.array([data], object)})
    assert got["image_bytes"].tolist() == [data]
    assert got["score"].dtype == np.float32
    assert json.loads(requests[1][2])["inputs"] == {"text_bytes": [encoded]}


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        (400, '{"error": "label must be in"}', Code.INVALID_ARGUMENT, "label must be"),
        (404, '{"error": "Servable not found"}', Code.NOT_FOUND, "Servable not"),
        (413, "too large", Code.RESOURCE_EXHAUSTED, "HTTP 413: too large"),
        (500, "", Code.INTERNAL, "HTTP 500"),
        (302, "elsewhere", Code.UNKNOWN, "HTTP 302: elsewhere"),
        (200, "<html>", Code.INTERNAL, "not JSON"),
        (200, "[" * 100_000, Code.INTERNAL, "not JSON"),
        (500, "[" * 100_000, Code.INTERNAL, r"HTTP 500: \["),
        (200, "[]", Code.INTERNAL, "lacks 'model_version_status'"),
    ],
)
def test_answers_that_are_errors(status, body, code, message):
    with answering((status, body)) as (url, requests), Client(url) as client:
        with pytest.raises(ServingError, match=message) as refused:
            client.status()
    assert refused.value.code is code
    assert len(requests) == 1


@pytest.mark.parametrize(
    "outputs", ['{"images": 1}', '["x"]', "[[1], [1, 2]]", "[300]", "[-1]"]
)
def test_answers_that_do_not_fit_the_signature(outputs):
    answers = (200, metadata(images="DT_UINT8")), (200, f'{{"outputs": {outputs}}}')
    with answering(*answers) as (url, _), Client(url) as client:
        with pytest.raises(ServingError, match="INTERNAL: The answer"):
            client.predict("s", {})


def test_tries_again_while_the_server_is_busy():
    status = '{"model_version_status": [{"version": "1", "state": "AVAILABLE"}]}'
    busy = (503, '{"error": "starting"}', {"Retry-After": "0"})
    proxy = (502, "<html>", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
    with answering(busy, proxy, (200, status)) as (url, requests):
        with Client(url, retries=QUICK) as client:
            assert client.status() == {1: "AVAILABLE"}
    assert len(requests) == 3


def test_the_pause_that_the_server_asks_for_is_kept():
    busy = (503, '{"error": "busy"}', {"Retry-After": "60"})
    with answering(busy) as (url, requests):
        with Client(url, timeout=5, retries=QUICK) as client:
            with pytest.raises(ServingError, match="UNAVAILABLE: busy"):
                client.status()
    assert len(requests) == 1


def test_nobody_listens():
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    with Client(f"http://localhost:{port}/v1/models/m", retries=QUICK) as client:
        with pytest.raises(ServingError, match="cannot be reached") as refused:
            client.status()
    assert refused.value.code is Code.UNAVAILABLE


def test_a_server_that_never_answers():
    with socket.create_server(("localhost", 0)) as silent:
        url = f"http://localhost:{silent.getsockname()[1]}/v1/models/m"
        with Client(url, timeout=0.3) as client, pytest.raises(ServingError) as late:
            client.status()
    assert late.value.code is Code.DEADLINE_EXCEEDED


def test_an_answer_that_is_too_large():
    with answering((200, "[" + "0," * 1000 + "0]")) as (url, _):
        with Client(url, max_message_bytes=1000) as client:
            with pytest.raises(ServingError, match="more than max_message_bytes=1000"):
                client.status()


def test_tls(tmp_path, monkeypatch):
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    answer = (200, '{"model_version_status": []}')
    with answering(answer, tls=context) as (url, _):
        with Client(url, retries=Retries(attempts=1)) as client:
            with pytest.raises(ServingError, match="certificate"):
                client.status()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
        with Client(url) as client:
            assert client.status() == {}
