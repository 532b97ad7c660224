import json

import pytest

from keras_sagan.distributed import cluster
from keras_sagan.distributed.cluster import Cluster

ADDRESSES = ("host0:2222", "host1:2222", "[::1]:80")


def tf_config(jobs, kind, index):
    return json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}})


def test_the_first_worker_is_the_chief():
    chief, other = Cluster(ADDRESSES, 0), Cluster(list(ADDRESSES), 2)
    assert chief.is_chief and not other.is_chief
    assert other.workers == ADDRESSES
    assert other.name == chief.name_of(2) == "worker 2 ([::1]:80)"


@pytest.mark.parametrize(
    ("workers", "index", "message"),
    [
        ((), 0, "at least one"),
        (("a:1", "b:2", "a:1"), 0, "different addresses.* Received: a:1, b:2, a:1"),
        (("a:1", "b"), 0, "host:port. Received: 'b'"),
        (("a:0",), 0, "host:port"),
        (("a:65536",), 0, "host:port"),
        ((":80",), 0, "host:port"),
        ((1,), 0, "host:port"),
        (("a:1", "b:2"), 2, r"in \[0, 2\): there are 2 .* Received: index=2"),
        (("a:1",), -1, "index=-1"),
        (("a:1",), True, "index=True"),
    ],
)
def test_impossible_clusters(workers, index, message):
    with pytest.raises(ValueError, match=message):
        Cluster(workers, index)


def test_flags_win_over_the_environment():
    environment = {"TF_CONFIG": tf_config({"worker": ["x:1", "y:1"]}, "worker", 1)}
    assert cluster.find("a:1, b:2", 1, environment) == Cluster(("a:1", "b:2"), 1)
    assert cluster.find(environment=environment) == Cluster(("x:1", "y:1"), 1)
    assert cluster.find(environment={}) is None
    assert cluster.find(environment={"TF_CONFIG": " "}) is None


@pytest.mark.parametrize(
    ("workers", "index", "message"),
    [("a:1,b:2", None, "`--workers` needs `--index`"), (None, 0, "needs `--workers`")],
)
def test_half_of_the_flags(workers, index, message):
    with pytest.raises(ValueError, match=message):
        cluster.find(workers, index, {})


def test_the_process_environment_is_the_default(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tf_config({"worker": ["x:1"]}, "worker", 0))
    assert cluster.find() == Cluster(("x:1",), 0)


def test_a_chief_of_its_own_comes_first():
    jobs = {"worker": ["w0:1", "w1:1"], "chief": ["c:1"]}
    expected = ("c:1", "w0:1", "w1:1")
    for kind, index, place in [("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2)]:
        found = cluster.parse_tf_config(tf_config(jobs, kind, index))
        assert found == Cluster(expected, place)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read .JSONDecodeError"),
        ("[]", "cannot be read"),
        ('{"cluster": {"worker": ["a:1"]}}', "KeyError: 'task'"),
        ('{"cluster": {"worker": 3}, "task": {"type": "worker", "index": 0}}', "int"),
        (tf_config({"worker": ["a:1"], "ps": ["b:1"]}, "worker", 0), "'ps'"),
        (tf_config({"worker": ["a:1"]}, "evaluator", 0), "this is a 'evaluator'"),
        (tf_config({"worker": ["a:1"]}, ["worker"], 0), "this is a .*'worker'"),
        (tf_config({"chief": ["a:1", "b:1"]}, "chief", 0), "2 chiefs"),
        (tf_config({"worker": ["a:1"]}, "worker", 1), "index 1, only 1"),
        (tf_config({"worker": ["a:1"]}, "worker", "0"), "index '0'"),
        (tf_config({"worker": ["a:1", "b:1"]}, "worker", True), "index True"),
        (tf_config({"worker": ["a:1"]}, "worker", -1), "index -1"),
        (tf_config({"worker": ["a"]}, "worker", 0), "host:port"),
    ],
)
def test_wrong_tf_config(text, message):
    with pytest.raises(ValueError, match=message) as caught:
        cluster.parse_tf_config(text)
    assert "TF_CONFIG" in str(caught.value)
    assert "host0:2222" in str(caught.value)  # an example of a right one
    assert repr(text) in str(caught.value)
