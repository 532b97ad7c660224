"""Workers find each other over loopback; each is a thread here."""

import concurrent.futures
import contextlib
import json
import socket
import time

import pytest

from keras_sagan.distributed import rendezvous
from keras_sagan.distributed.cluster import Cluster
from keras_sagan.distributed.workers import WorkersError
from tests.training import ports

VERSIONS = {"keras": "3.15.1", "tensorflow": "2.21.0"}


def meet(clusters, versions=None, timeout=60.0):
    """What `connect` returned or raised on each worker."""

    def connect(cluster, theirs):
        try:
            return rendezvous.connect(cluster, theirs, timeout)
        except WorkersError as error:
            return error

    versions = versions or [VERSIONS] * len(clusters)
    with concurrent.futures.ThreadPoolExecutor(len(clusters)) as pool:
        results = list(pool.map(connect, clusters, versions))
    for result in results:
        if not isinstance(result, WorkersError):
            result.close()
    return results


def clusters(count):
    addresses = ports.free_addresses(count)
    return [Cluster(addresses, index) for index in range(count)]


def test_three_workers_meet():
    found = meet(clusters(3))
    assert [workers.cluster.index for workers in found] == [0, 1, 2]
    assert [workers.lost for workers in found] == [None] * 3


def test_ports_are_free_again_while_the_connections_last():
    ours = clusters(2)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda x: rendezvous.connect(x, VERSIONS), ours))
    for address in ours[0].workers:  # as TensorFlow does next
        host, _, port = address.partition(":")
        with socket.create_server((host, int(port))):
            pass
    for workers in found:
        workers.close()


def test_others_may_come_first_and_strangers_may_knock():
    ours = clusters(2)
    host, _, port = ours[0].workers[0].partition(":")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        second = pool.submit(rendezvous.connect, ours[1], VERSIONS)
        time.sleep(0.5)
        first = pool.submit(rendezvous.connect, ours[0], VERSIONS)
        with contextlib.suppress(OSError), socket.create_connection((host, port)) as x:
            x.sendall(b"GET / HTTP/1.1\r\n\r\n")
        for workers in (first.result(), second.result()):
            workers.close()


def test_a_worker_that_is_started_again_while_others_are_awaited():
    ours = clusters(3)
    host, _, port = ours[0].workers[0].partition(":")
    hello = {"protocol": rendezvous._PROTOCOL, "index": 1, "token": "of the first"}
    hello |= {"workers": list(ours[0].workers), "versions": VERSIONS}
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        first = pool.submit(rendezvous.connect, ours[0], VERSIONS, 60.0)
        while True:  # worker 1, which is killed while it waits for worker 2
            with (
                contextlib.suppress(OSError),
                socket.create_connection((host, port)) as x,
            ):
                x.sendall(rendezvous.line(hello))
                time.sleep(0.2)
                break
        others = [pool.submit(rendezvous.connect, x, VERSIONS, 60.0) for x in ours[1:]]
        for waiting in (first, *others):
            waiting.result().close()


def assert_all_say(results, *parts):
    for result in results:
        assert isinstance(result, WorkersError)
        for part in parts:
            assert part in str(result)


def test_other_versions():
    other = {**VERSIONS, "tensorflow": "2.22.0"}
    results = meet(clusters(3), [VERSIONS, VERSIONS, other])
    assert_all_say(
        results, "tensorflow: '2.21.0' on worker 0, '2.22.0' on worker 2", "versions"
    )


def test_other_lists_of_workers():
    ours = clusters(2)
    addresses = (ours[0].workers[0], "elsewhere:2222", ours[0].workers[1])
    results = meet([ours[0], Cluster(addresses, 2)])
    assert_all_say(results, "same list", ",".join(addresses), ours[0].workers[1])


def test_two_workers_of_one_index():
    addresses = ports.free_addresses(3)
    results = meet([Cluster(addresses, index) for index in (0, 1, 1)])
    assert_all_say(results, "index=1 from 2 processes")


def test_a_worker_that_does_not_come():
    first, _, third = clusters(3)
    begin = time.monotonic()
    results = meet([first, third], timeout=2.0)
    assert_all_say(results, "within 2 seconds", first.name_of(1))
    assert time.monotonic() - begin < 30


def test_a_chief_that_does_not_come():
    _, second = clusters(2)
    with pytest.raises(WorkersError, match=r"chief, worker 0 .* within 1 seconds"):
        rendezvous.connect(second, VERSIONS, 1.0)


def test_a_worker_on_another_machine_than_the_list_says(monkeypatch):
    monkeypatch.setattr(rendezvous, "_PATIENCE_SECONDS", 1.0)
    addresses = ports.free_addresses(3)
    _, _, port = addresses[1].partition(":")
    addresses[1] = f"elsewhere.invalid:{port}"
    results = meet([Cluster(addresses, index) for index in range(3)], timeout=2.0)
    assert_all_say(results, "Worker 1", "cannot be reached", "on another machine")


def test_a_stranger_at_a_workers_address(monkeypatch):
    """As behind a proxy, or where a port leads to another container."""
    monkeypatch.setattr(rendezvous, "_CALL_SECONDS", 1.0)
    monkeypatch.setattr(rendezvous, "_PATIENCE_SECONDS", 0.5)
    ours = clusters(2)
    host, _, port = ours[0].workers[0].partition(":")
    hello = {"protocol": rendezvous._PROTOCOL, "index": 1, "token": "mine"}
    hello |= {"workers": list(ours[0].workers), "versions": VERSIONS}
    with (
        concurrent.futures.ThreadPoolExecutor(1) as pool,
        rendezvous._answering(ours[1], "another's"),
    ):
        first = pool.submit(rendezvous.connect, ours[0], VERSIONS, 60.0)
        while not first.done():
            with (
                contextlib.suppress(OSError),
                socket.create_connection((host, port)) as x,
            ):
                x.sendall(rendezvous.line(hello))
                verdict = json.loads(x.makefile("rb").readline())["verdict"]
                break
        with pytest.raises(WorkersError, match="another program answers") as caught:
            first.result()
    assert verdict == str(caught.value)


@pytest.mark.parametrize("index", [0, 1])
def test_a_port_in_use(index, monkeypatch):
    monkeypatch.setattr(rendezvous, "_CALL_SECONDS", 1.0)
    ours = clusters(2)[index]
    _, _, port = ours.workers[index].partition(":")
    with (
        socket.create_server(("", int(port))),
        pytest.raises(WorkersError, match=f"Worker {index} .* cannot use its port"),
    ):
        rendezvous.connect(ours, VERSIONS, 30.0)


def test_all_hear_of_a_port_in_use():
    ours = clusters(3)
    _, _, port = ours[2].workers[2].partition(":")
    begin = time.monotonic()
    with socket.create_server(("", int(port))):
        assert_all_say(meet(ours), "Worker 2", "cannot use its port")
    assert time.monotonic() - begin < 30


def test_a_chief_of_another_kind(monkeypatch):
    monkeypatch.setattr(rendezvous, "_CALL_SECONDS", 0.5)
    monkeypatch.setattr(rendezvous, "_PATIENCE_SECONDS", 0.5)
    ours = clusters(2)[1]
    _, _, port = ours.workers[0].partition(":")
    with socket.create_server(("", int(port))) as listener:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(rendezvous.connect, ours, VERSIONS, 2.0)
            connection, _ = listener.accept()
            with connection:
                hello = json.loads(connection.makefile("rb").readline())
                connection.sendall(b"[]\n")
            assert hello["index"] == 1
        with pytest.raises(WorkersError, match="could not be reached"):
            waiting.result()


@pytest.mark.parametrize("message", [b"[" * 100_000, b"[1]", b"\xff"])
def test_messages_that_are_none(message):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(message + b"\n")
        with pytest.raises(ValueError, match="its message"):
            rendezvous._receive(ours)
