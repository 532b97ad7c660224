"""A server that gets hundreds of malformed requests goes on answering good ones."""

import itertools
import socket

import numpy as np
import pytest

from keras_sagan.serving.client.address import parse_address
from keras_sagan.serving.client.client import Client
from tests.serving import hostile

COUNT = 500
POST = b"POST /v1/models/glyphs:predict HTTP/1.1\r\nHost: localhost\r\n"
MEMORY = 512 * 2**20  # what the server may grow by: five of the big bodies


@pytest.fixture(scope="module")
def clients(server):
    """A client of each protocol and a picture that they must get."""
    with Client(server.grpc) as grpc, Client(server.rest) as rest:
        expected = grpc.generate(labels=[3, 4], seed=11)
        assert expected.std() > 1
        yield itertools.cycle([grpc, rest]), expected


def resident_bytes(process):
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


def assert_answers_well(clients):
    clients, expected = clients
    np.testing.assert_array_equal(
        next(clients).generate(labels=[3, 4], seed=11), expected
    )


def test_each_is_refused_and_the_next_good_request_is_right(server, clients):
    sender = hostile.Sender(server.grpc, server.rest)
    kinds = set()
    before = resident_bytes(server.process)
    for request in hostile.requests(COUNT, seed=0):
        status, message = sender.send(request)
        assert status in request.expected, (request.name, message, request.body[:300])
        assert message, request.name
        assert_answers_well(clients)
        kinds.add(request.name)
    sender.close()
    assert len(kinds) > 50
    assert server.process.poll() is None
    assert resident_bytes(server.process) - before < MEMORY


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        POST + b"Content-Length: -5\r\n\r\n",
        POST + b"Content-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/models/glyphs HTTP/1.1\r\nHost: localhost\r\nX: "
        + b"y" * 100_000
        + b"\r\n\r\n",
    ],
    ids=["bytes", "version", "length", "smuggling", "chunk", "header"],
)
def test_what_is_not_http_is_a_bad_request(server, clients, sent):
    address = parse_address(server.rest)
    with socket.create_connection((address.host, address.port), timeout=60) as raw:
        raw.sendall(sent)
        answer = raw.recv(200)
    assert answer.split(b" ", 2)[1] == b"400", answer
    assert_answers_well(clients)


def test_clients_that_leave_or_hesitate_hold_nothing_up(server, clients):
    address = parse_address(server.rest)
    head = POST + b"Content-Length: 900\r\n\r\n"
    waiting = []
    for _ in range(20):
        raw = socket.create_connection((address.host, address.port), timeout=60)
        raw.sendall(head + b'{"inp')
        waiting.append(raw)
    assert_answers_well(clients)
    assert_answers_well(clients)
    for raw in waiting:
        raw.close()
    assert_answers_well(clients)
