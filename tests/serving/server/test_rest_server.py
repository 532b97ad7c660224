"""HTTP itself: sizes, time, refusals. The answers come from a stand-in interface."""

import contextlib
import gzip
import json
import socket
import threading
import zlib

import pytest
import urllib3

from keras_sagan.listening.access import Access
from keras_sagan.serving.errors import Code, ServingError, invalid
from keras_sagan.serving.server.admission import Admission
from keras_sagan.serving.server.development_server import Limits
from keras_sagan.serving.server.rest_server import RestServer


class Interface:
    """Says what it was asked; `/slow` waits for a word."""

    def __init__(self):
        self.begun, self.go_on = threading.Event(), threading.Event()

    def health(self):
        return {"status": "SERVING"}

    def refuse(self, method, path):
        raise ServingError(Code.NOT_FOUND, f"{method} {path}")

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
def running(token=None, **limits):
    limits = Limits(**({"max_request_bytes": 1000, "timeout": 60} | limits))
    interface = Interface()
    admission = Admission(limits.max_concurrent, 1)
    access = Access("127.0.0.1", ["demo.example"], token)
    server = RestServer(interface, admission, access, "127.0.0.1", 0, limits)
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
        ("PUT", "/x", 404, "PUT /x"),
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


GZIP = gzip.compress(bytes(range(256)))
DEFLATE = zlib.compress(bytes(range(256)))


def post(pool, body, encoding, chunked=False):
    body = [body[:3], body[3:]] if chunked else body
    headers = {"Content-Encoding": encoding}
    return pool.urlopen("POST", "/x", body=body, headers=headers, chunked=chunked)


@pytest.mark.parametrize("size", [1001, 500_000])  # 25 and 515 bytes
def test_a_compressed_body_counts_unpacked(size):
    with running() as (_, pool, _):
        assert post(pool, gzip.compress(bytes(size)), "gzip").status == 413


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", GZIP),
        ("GZIP", GZIP),
        ("x-gzip", GZIP),
        ("gzip", gzip.compress(bytes(range(100))) + gzip.compress(bytes(156))),
        ("deflate", DEFLATE),
        ("deflate", DEFLATE[2:-4]),  # without zlib's frame, as some send it
        ("identity", bytes(256)),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_encodings(encoding, body, chunked):
    with running() as (_, pool, _):
        got = post(pool, body, encoding, chunked)
        assert (got.status, got.json()) == (200, {"path": "/x", "bytes": 256})


@pytest.mark.parametrize(
    ("encoding", "body", "message"),
    [
        ("gzip", b"not gzip", "The body is not gzip"),
        ("gzip", GZIP[:-10], "cut off"),
        ("gzip", GZIP[:-8] + b"12345678", "The body is not gzip"),  # the checksum
        ("gzip", GZIP + b"more", "The body is not gzip"),
        ("deflate", b"\x78\x9cnot", "The body is not deflate"),
        ("deflate", DEFLATE[:-10], "cut off"),
        ("deflate", b"zzz", "cut off"),  # the bare stream might begin so
        ("br", b"zzz", "Content-Encoding must be gzip, deflate or none"),
        ("zstd", b"zzz", "Content-Encoding must be"),
        ("gzip, gzip", gzip.compress(GZIP), "Content-Encoding must be"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_not_of_its_encoding(encoding, body, message, chunked):
    with running() as (_, pool, _):
        got = post(pool, body, encoding, chunked)
        assert got.status == 400
        assert message in got.json()["error"]
        assert pool.request("POST", "/x").status == 200


# === Whose requests ===


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8501"}, 200),
        ({"Host": "10.1.2.3:8501"}, 200),  # a probe of Kubernetes
        ({"Host": "demo.example"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost:1", "Origin": "http://localhost:1"}, 200),
        ({"Origin": "https://demo.example"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_pages_of_other_sites_are_not_answered(headers, status, method):
    plain = {"Content-Type": "text/plain"} if method == "POST" else {}
    with running() as (_, pool, _):
        got = pool.request(method, "/x", headers=headers | plain)
        assert got.status == (404 if method == "PUT" and status == 200 else status)
        assert pool.request("GET", "/healthz", headers=headers).status == 200


def test_a_request_without_a_host_is_no_browsers():
    with running() as (server, _, _):
        with socket.create_connection(("127.0.0.1", server.port), 60) as raw:
            raw.sendall(b"GET /x HTTP/1.0\r\n\r\n")
            assert b" 200 OK" in raw.recv(1000)


def test_a_token():
    token = "secret" * 4
    with running(token) as (_, pool, interface):
        for method in ("GET", "POST", "PUT"):
            for header in ("", "Bearer", f"Bearer {token}x", f"Basic {token}", token):
                headers = {"Authorization": header} if header else {}
                refused = pool.request(method, "/slow", headers=headers)
                assert refused.status == 401
                assert refused.headers["WWW-Authenticate"] == "Bearer"
                assert "--token-file" in refused.json()["error"]
        assert not interface.begun.is_set()
        headers = {"Authorization": f"Bearer {token}", "Host": "any.example"}
        assert pool.request("POST", "/x", headers=headers).status == 200
        for method in ("GET", "HEAD"):
            assert pool.request(method, "/healthz").status == 200


def test_a_body_that_does_not_arrive():
    with running(timeout=0.2) as (server, _, _):
        with socket.create_connection(("127.0.0.1", server.port), 60) as raw:
            raw.sendall(
                b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n12"
            )
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
            RestServer(
                interface,
                Admission(1, 1),
                Access("127.0.0.1"),
                "127.0.0.1",
                server.port,
                Limits(),
            )


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
