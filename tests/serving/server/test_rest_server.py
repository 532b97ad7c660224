"""HTTP itself: sizes, time, refusals. The answers come from a stand-in interface."""

import contextlib
import json
import socket
import threading

import pytest
import urllib3

from keras_sagan.serving.errors import invalid
from keras_sagan.serving.server.admission import Admission
from keras_sagan.serving.server.development_server import Limits
from keras_sagan.serving.server.rest_server import RestServer


class Interface:
    """Says what it was asked; `/slow` waits for a word."""

    def __init__(self):
        self.begun, self.go_on = threading.Event(), threading.Event()

    def get(self, path):
        if path == "/wrong":
            raise invalid("wrong")
        if path == "/broken":
            raise KeyError("a bug")
        return {"path": path}

    def post(self, path, body):
        if path == "/slow":
            self.begun.set()
            self.go_on.wait()
        return {"path": path, "bytes": len(body)}


@contextlib.contextmanager
def running(**limits):
    limits = Limits(**({"max_request_bytes": 1000, "timeout": 60} | limits))
    interface = Interface()
    admission = Admission(limits.max_concurrent, 1)
    server = RestServer(interface, admission, "127.0.0.1", 0, limits)
    pool = urllib3.HTTPConnectionPool("127.0.0.1", server.port, retries=False)
    try:
        yield server, pool, interface
    finally:
        interface.go_on.set()
        pool.close()
        server.stop()


def test_answers():
    with running() as (_, pool, _):
        got = pool.request("GET", "/a%20b?c")
        assert (got.status, got.json()) == (200, {"path": "/a%20b"})
        assert got.headers["Content-Type"].startswith("application/json")
        sent = pool.request("POST", "/x", body=b"y" * 1000)
        assert sent.json() == {"path": "/x", "bytes": 1000}


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/wrong", 400, "wrong"),
        ("GET", "/broken", 500, "Internal error: see the server's log."),
        ("PUT", "/x", 501, "Only GET and POST are served. Received: PUT"),
    ],
)
def test_errors_are_json(method, path, status, message):
    with running() as (_, pool, _):
        got = pool.request(method, path)
        assert (got.status, got.json()) == (status, {"error": message})
        assert pool.request("GET", "/").status == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large(chunked):
    with running() as (_, pool, _):
        body = [b"x" * 100] * 11 if chunked else b"x" * 1100
        got = pool.urlopen("POST", "/x", body=body, chunked=chunked)
        assert got.status == 413
        assert got.json() == {"error": "A request has at most 1000 bytes."}


def test_a_compressed_body_counts_unpacked():
    import gzip

    with running() as (_, pool, _):
        body = gzip.compress(bytes(10**7))
        packed = gzip.compress(body)
        headers = {"Content-Encoding": "gzip"}
        got = pool.urlopen("POST", "/x", body=packed, headers=headers)
        assert got.status == 413


def test_a_body_that_does_not_arrive():
    with running(timeout=0.2) as (server, _, _):
        with socket.create_connection(("127.0.0.1", server.port), 60) as raw:
            raw.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12")
            answer = raw.recv(1000)
    assert answer.startswith(b"HTTP/1.1 504")
    assert b"did not arrive in time" in answer


def test_one_request_too_many():
    with running(max_concurrent=1) as (_, pool, interface):
        thread = threading.Thread(
            target=lambda: pool.request("POST", "/slow"), daemon=True
        )
        thread.start()
        interface.begun.wait()
        refused = pool.request("POST", "/x")
        assert refused.status == 503
        assert refused.headers["Retry-After"] == "1"
        assert "dealing with 1 requests" in json.loads(refused.data)["error"]
        assert pool.request("GET", "/health").status == 200  # not counted
        interface.go_on.set()
        thread.join()
        assert pool.request("POST", "/x").status == 200


def test_an_address_that_is_taken():
    with running() as (server, _, interface):
        with pytest.raises(OSError, match="in use"):
            RestServer(interface, Admission(1, 1), "127.0.0.1", server.port, Limits())


def test_stopping_answers_what_was_begun():
    answers = []
    with running() as (_, pool, interface):
        pool.request("GET", "/")  # leaves an idle connection behind

        def ask():
            answers.append(pool.request("POST", "/slow").status)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        interface.begun.wait()
        threading.Timer(0.2, interface.go_on.set).start()
    thread.join()
    assert answers == [200]
