"""What connected workers tell each other; each is a thread here."""

import concurrent.futures
import contextlib
import socket
import threading
import time

import pytest

from keras_sagan.distributed import workers as workers_module
from keras_sagan.distributed.cluster import Cluster
from keras_sagan.distributed.workers import (
    WorkerLost,
    Workers,
    WorkersError,
    differences,
    line,
)
from tests.training.connections import ADDRESSES, connected


def together(function, everyone, *values):
    """What a function returned or raised on each worker."""

    def run(*arguments):
        try:
            return function(*arguments)
        except WorkersError as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(len(everyone)) as pool:
        return list(pool.map(run, everyone, *values))


def test_differences():
    first = {"a": {"x": 1, "y": [1, 2]}, "b": None, "c": 3}
    second = {"a": {"x": 2, "y": [1, 2]}, "c": 3, "d": "new"}
    assert differences(first, second) == [("a.x", 1, 2), ("d", None, "new")]
    assert differences(first, first) == []
    assert differences(1, 2) == [("", 1, 2)]


def test_agreement():
    def agree(workers, value):
        workers.agree("configuration", value)

    with connected() as everyone:
        value = {"steps": 5, "sizes": (16, 32)}
        assert together(agree, everyone, [value] * 3) == [None] * 3
        values = [value, value, {**value, "steps": 6}]
        for error in together(agree, everyone, values):
            assert type(error) is WorkersError
            assert str(error) == (
                "The configuration must be the same on every worker. Received: "
                "steps: 5 on worker 0, 6 on worker 2."
            )
        assert together(agree, everyone, [value] * 3) == [None] * 3


def test_many_differences_are_cut_short():
    with connected(2) as everyone:
        values = [dict.fromkeys("abcdefgh", i) for i in range(2)]
        for error in together(lambda x, v: x.agree("data", v), everyone, values):
            assert "e: 0 on worker 0, 1 on worker 1; and 3 more." in str(error)


def test_a_worker_that_stops_says_why_to_all():
    with connected() as everyone:
        seen = []
        everyone[1].close("ValueError: no such folder")
        wait = together(lambda x: x.agree("data", 1), [everyone[0], everyone[2]])
        for error in wait:
            assert type(error) is WorkerLost
            seen.append(str(error))
        assert seen == ["Worker 1 (host1:1) stopped: ValueError: no such folder"] * 2


def test_a_worker_that_dies_is_noticed_by_all():
    messages = [[], [], []]
    with connected() as everyone, contextlib.ExitStack() as stack:
        for workers, heard in zip(everyone, messages, strict=True):
            stack.enter_context(workers.watched(heard.append))
        cut(everyone[2])
        for workers in everyone[:2]:
            with pytest.raises(WorkerLost, match=r"Worker 2 .* connection was closed"):
                workers.raise_if_lost(wait=30)
    assert [len(heard) for heard in messages[:2]] == [1, 1]


def test_a_dead_chief_is_noticed_by_all():
    with connected() as everyone:
        cut(everyone[0])
        for workers in everyone[1:]:
            with pytest.raises(WorkerLost, match=r"Worker 0 .* connection was closed"):
                workers.raise_if_lost(wait=30)


def cut(workers):
    """What the system does to the connections of a process that is killed."""
    workers._closing.set()
    for link in workers._links.values():
        link._connection.shutdown(socket.SHUT_RDWR)


def test_a_loss_before_the_watch_is_not_forgotten():
    heard = []
    with connected(2) as (chief, other):
        other.close("it was told to")
        with pytest.raises(WorkerLost):
            chief.raise_if_lost(wait=30)
        with chief.watched(heard.append):
            pass
    assert heard == ["Worker 1 (host1:1) stopped: it was told to"]


def test_silence(monkeypatch):
    """As of a machine without power: nothing comes, and no connection ends."""
    monkeypatch.setattr(workers_module, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(workers_module, "SILENCE_SECONDS", 1.0)
    ours, theirs = socket.socketpair()
    with theirs:
        chief = Workers(Cluster(ADDRESSES[:2], 0), {1: ours})
        for _ in range(15):  # signs of life, for longer than silence is allowed
            theirs.sendall(line({"beat": True}))
            time.sleep(0.1)
        assert chief.lost is None
        with pytest.raises(WorkerLost, match="no sign of life for 1 seconds"):
            chief.raise_if_lost(wait=30)


def test_signs_of_life_are_given(monkeypatch):
    monkeypatch.setattr(workers_module, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(workers_module, "SILENCE_SECONDS", 2.0)
    with connected() as everyone:
        time.sleep(4.0)
        assert [workers.lost for workers in everyone] == [None] * 3


def test_leaving_in_good_order_is_no_loss():
    with connected(2) as (chief, other):
        other.close()
        time.sleep(0.2)
        chief.raise_if_lost(wait=0.2)
        with pytest.raises(WorkerLost, match=r"Worker 1 .* has left"):
            chief.agree("data", 1)


def test_nothing_is_left_running():
    before = threading.active_count()
    with connected():
        assert threading.active_count() > before
    deadline = time.monotonic() + 30
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert threading.active_count() <= before
