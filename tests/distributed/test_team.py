import threading

import pytest

from keras_sagan.distributed import team
from keras_sagan.distributed.workers import WorkerLost
from tests.training import connections


@pytest.mark.parametrize("failing", [0, 1])
def test_a_worker_that_fails_does_not_wait_for_the_others(failing):
    def fail(workers):
        with team._together(workers, pytest.fail, (ValueError,)):
            team.Team(None, workers).fail("the disk is full")

    with connections.connected(2) as workers:
        thread = threading.Thread(target=fail, args=[workers[failing]], daemon=True)
        thread.start()
        thread.join(timeout=30)
        assert not thread.is_alive()
        with pytest.raises(WorkerLost, match=f"Worker {failing} .*the disk is full"):
            workers[1 - failing].raise_if_lost(wait=30)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("x} Collective ops is aborted by: no heart beats.\nMore", ["no heart beats."]),
        ("Matrix is not invertible", []),
    ],
)
def test_errors_of_tensorflow_that_say_that_a_worker_is_gone(
    message, expected, monkeypatch
):
    left = []
    monkeypatch.setattr(team, "_GRACE_SECONDS", 0.1)
    with connections.connected(2) as (chief, _):
        team._check_lost(chief, RuntimeError(message), left.append)
    prefix = "Another worker cannot be reached: "
    assert left == [f"{prefix}{reason}" for reason in expected]


def test_one_process_is_a_team_of_its_own():
    with team.assemble("none", None, None, 1.0, pytest.fail) as alone:
        assert alone.is_chief
        alone.agree("configuration", {"a": 1})
        alone.fail("nobody listens")
        assert alone.strategy.num_replicas_in_sync == 1


@pytest.mark.parametrize(
    ("error", "said"), [(ValueError("x"), "x"), (KeyError("x"), "KeyError: 'x'")]
)
def test_an_error_is_what_the_others_hear(error, said, monkeypatch):
    monkeypatch.setattr(team, "_GRACE_SECONDS", 0.1)
    with connections.connected(2) as (chief, other):
        with (
            pytest.raises(type(error)),
            team._together(chief, pytest.fail, (ValueError,)),
        ):
            raise error
        with pytest.raises(WorkerLost, match=f"Worker 0 .*stopped: {said}"):
            other.raise_if_lost(wait=30)
