"""Servers that make a client wait in every way that there is."""

import concurrent.futures
import contextlib
import http.server
import socket
import ssl
import threading
import time

import numpy as np
import pytest
import trustme
import urllib3

from keras_sagan.serving.client import deadlines
from keras_sagan.serving.client.client import Client
from keras_sagan.serving.client.retries import Retries
from keras_sagan.serving.errors import Code, ServingError

TIMEOUT = 0.6
SLACK = 2.0  # of a busy machine
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TLS = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(1000)


@contextlib.contextmanager
def dripping(begin, drop, read=True):
    """A server that sends `begin` and then `drop`, again and again, for 8 seconds."""
    stop = threading.Event()
    timer = threading.Timer(8, stop.set)
    timer.start()
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        listening.settimeout(0.05)
        connections = []
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                connections.append(listening.accept()[0])
                if read:
                    connections[-1].recv(2**16)
                connections[-1].sendall(begin)
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.sendall(drop)
        for connection in connections:
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        timer.cancel()
        stop.set()
        thread.join()
        listening.close()


@contextlib.contextmanager
def in_time():
    """What is done within it fails for want of time, in time."""
    begin = time.monotonic()
    with pytest.raises(ServingError) as late:
        yield
    assert late.value.code is Code.DEADLINE_EXCEEDED
    assert TIMEOUT / 2 < time.monotonic() - begin < TIMEOUT + SLACK


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (HEADERS, b"x"),
        (HEADERS + b"\r\n", b" "),
        (HEADERS + b"Connection: close\r\n\r\n", b" "),
        (b"HTTP/1.0 200 OK\r\n\r\n", b" "),
        (CHUNKED, b"1\r\n \r\n"),
        (CHUNKED, b"0"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=[
        "status",
        "headers",
        "header",
        "content",
        "close",
        "http1.0",
        "chunks",
        "chunk",
        "error",
        "continue",
    ],
)
def test_an_answer_that_comes_in_drops(begin, drop):
    with dripping(begin, drop) as port:
        with Client(f"http://127.0.0.1:{port}/v1/models/m", TIMEOUT) as client:
            with in_time():
                client.status()
            with in_time():
                client.status()


def test_tls_that_comes_in_drops():
    with dripping(TLS, b"\x00") as port:
        with Client(f"https://127.0.0.1:{port}/v1/models/m", TIMEOUT) as client:
            with in_time():
                client.status()


def test_a_server_that_does_not_read():
    metadata = (
        b'{"metadata": {"signature_def": {"signature_def": {"s": {"outputs": {"x": '
        b'{"dtype": "DT_FLOAT"}}}}}}}'
    )
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(metadata)
    with dripping(answer + metadata, b"") as port:
        with Client(f"http://127.0.0.1:{port}/v1/models/m", TIMEOUT) as client:
            assert list(client.signatures()) == ["s"]
            with in_time():
                client.predict("s", {"x": np.array([bytes(2**23)], object)})


def test_all_requests_of_a_call_share_its_time():
    """Signatures take most of it, which leaves little for the pictures."""
    metadata = (
        b'{"metadata": {"signature_def": {"signature_def": {"generate_png": '
        b'{"outputs": {"image_bytes": {"dtype": "DT_STRING"}}}}}}}'
    )
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(metadata)
    go_on = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def serve():
            connection, _ = listening.accept()
            with connection:
                connection.recv(2**16)
                time.sleep(1.5)
                connection.sendall(answer + metadata)
                go_on.wait(60)

        thread = threading.Thread(target=serve)
        thread.start()
        with Client(f"http://127.0.0.1:{port}/v1/models/m", timeout=2) as client:
            begin = time.monotonic()
            with pytest.raises(ServingError) as late:
                client.generate_png(labels=[1])
            assert late.value.code is Code.DEADLINE_EXCEEDED
            assert 1.5 < time.monotonic() - begin < 2.8
        go_on.set()
        thread.join()


@contextlib.contextmanager
def full(host, port=0):
    """A port at which nobody is let in any more: connecting takes for ever."""
    with socket.create_server((host, port), backlog=0) as listening:
        address = listening.getsockname()[:2]
        waiting = []
        for _ in range(8):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(address)
        time.sleep(0.1)
        yield address[1]
        for connection in waiting:
            connection.close()


def test_addresses_that_do_not_let_in_share_the_time(monkeypatch):
    """A name of three addresses: none of them gets all of the time."""
    with full("127.0.0.1") as port, full("127.0.0.2", port), full("127.0.0.3", port):
        lead = socket.getaddrinfo

        def three(host, *arguments, **options):
            del host
            hosts = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
            return [lead(each, *arguments, **options)[0] for each in hosts]

        monkeypatch.setattr(socket, "getaddrinfo", three)
        with Client(f"http://name:{port}/v1/models/m", TIMEOUT) as client, in_time():
            client.status()


def test_a_name_that_takes_long_to_look_up(monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *unused, **options: go_on.wait(60) and []
    )
    with Client("http://name:1/v1/models/m", TIMEOUT) as client, in_time():
        client.status()
    go_on.set()


def test_grpc_keeps_to_its_deadline():
    with dripping(b"", b"\x00", read=False) as port:
        retries = Retries(attempts=1)
        begin = time.monotonic()
        with Client(f"grpc://127.0.0.1:{port}/m", TIMEOUT, retries) as client:
            with pytest.raises(ServingError) as late:
                client.status()
        assert late.value.code in (Code.DEADLINE_EXCEEDED, Code.UNAVAILABLE)
        assert time.monotonic() - begin < TIMEOUT + SLACK


# === What is in time ===


@contextlib.contextmanager
def answering(context=None):
    """A server that answers `GET /N` with N bytes, and `POST` with what came."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            content = b"x" * int(self.path[1:])
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *unused):
            pass

    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    scheme = "https" if context else "http"
    yield f"{scheme}://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("tls", [False, True])
def test_connections_are_used_again_and_by_many_threads(tls, tmp_path):
    context = roots = None
    if tls:
        authority = trustme.CA()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(context)
        roots = str(tmp_path / "roots.pem")
        authority.cert_pem.write_to_path(roots)
    options = {"ca_certs": roots} if tls else {}
    with answering(context) as url:
        pool = deadlines.connections(url, maxsize=4, block=True, **options)

        def ask(size):
            with deadlines.within(30):
                got = pool.urlopen("GET", f"/{size}", preload_content=False)
                content = got.read(2**30)
                got.release_conn()
                sent = pool.urlopen("POST", "/", body=b"y" * size)
            return len(content), len(sent.data)

        sizes = [0, 1, 100, 70_000, 3_000_000] * 8
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            assert list(threads.map(ask, sizes)) == [(size, size) for size in sizes]
        assert pool.num_connections <= 4
        pool.close()


def test_a_connection_that_was_ended_meanwhile_is_made_anew():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def serve():
            for _ in range(2):
                connection, _ = listening.accept()
                connection.recv(2**16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        pool = deadlines.connections(f"http://127.0.0.1:{port}", retries=False)
        for _ in range(2):
            with deadlines.within(30):
                assert pool.urlopen("GET", "/").data == b"{}"
            time.sleep(0.1)
        thread.join()
        pool.close()


def test_errors_are_urllib3s():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for url, error in [
        (f"http://127.0.0.1:{port}", urllib3.exceptions.NewConnectionError),
        ("http://name.invalid", urllib3.exceptions.NameResolutionError),
    ]:
        pool = deadlines.connections(url, retries=False)
        with deadlines.within(30), pytest.raises(error):
            pool.urlopen("GET", "/")
        with deadlines.within(30):
            assert not deadlines.is_over()
