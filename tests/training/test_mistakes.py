"""Mistakes of real workers: a clear error on each, soon, and nothing is written."""

import json
import shutil
import sys
import time

import pytest

import keras_sagan
from tests import helpers
from tests.training import ports, processes

pytestmark = [pytest.mark.distributed, pytest.mark.patient]

SMALL = "--steps 2 --batch-size 4 --dtype-policy float32 --set model.base_filters=4 "
SMALL += "--set model.attention_resolutions=[]"


@pytest.fixture
def common(picture_folder, tmp_path):
    output = str(tmp_path / "run")
    return ["--dataset", f"folder:{picture_folder}", "-o", output, *SMALL.split()]


def configurations(workers):
    """`TF_CONFIG` of a chief and a worker."""
    cluster = {"chief": workers[:1], "worker": workers[1:]}
    return [
        {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": x, "index": 0}})}
        for x in cluster
    ]


def assert_refused(commands, tmp_path, *messages, **others):
    """Both end with status 2 and say each of the messages."""
    begin = time.monotonic()
    started = processes.start(commands, tmp_path, **others)
    statuses, texts = processes.finish(started, tmp_path)
    assert statuses == [2, 2], texts
    assert time.monotonic() - begin < 60
    for text in texts:
        assert "keras-sagan: error: " in text
        assert "Traceback" not in text
        for message in messages:
            assert message in text
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("more", "messages"),
    [
        ([["--batch-size", 5]] * 2, ["divisible by their number, 2", "batch_size=5"]),
        ([["--batch-size", 18]] * 2, ["must be at most the 16 images", "Received: 18"]),
        ([[], ["--seed", 7]], ["training.seed: 0 on worker 0, 7 on worker 1"]),
        ([["--strategy", "mirrored"]] * 2, ["`strategy` must be 'multi_worker'"]),
    ],
)
def test_settings(common, tmp_path, more, messages):
    assert_refused(processes.train_commands(common, more), tmp_path, *messages)


def test_other_data(common, picture_folder, tmp_path):
    """The same name on both machines, and a picture more on one."""
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        shutil.copytree(picture_folder, folder / "pictures")
    next(folders[1].glob("pictures/*/*.png")).unlink()
    commands = processes.train_commands(
        [*common, "--dataset", "folder:pictures"], [[], []]
    )
    programs = [["env", "-C", folder, sys.executable] for folder in folders]
    message = "examples: 16 on worker 0, 15 on worker 1"
    assert_refused(commands, tmp_path, "The data must", message, programs=programs)


def test_another_version_of_the_package(common, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(helpers.ROOT / "keras_sagan", other / "keras_sagan")
    path = other / "keras_sagan" / "__init__.py"
    path.write_text(path.read_text() + '\n__version__ = "0.0.7"\n')
    variables = [{}, {"PYTHONPATH": str(other)}]
    programs = [[sys.executable], ["env", "-C", other, sys.executable]]
    message = f"keras_sagan: {keras_sagan.__version__!r} on worker 0, '0.0.7' on worker"
    assert_refused(
        processes.train_commands(common, [[], []]),
        tmp_path,
        "package versions",
        message,
        variables=variables,
        programs=programs,
    )


def test_an_address_of_another_machine(common, tmp_path):
    addresses = ports.free_addresses(2)
    addresses[1] = "elsewhere.invalid:" + addresses[1].partition(":")[2]
    command = ["-m", "keras_sagan", "train", *common, "--worker-timeout", 20]
    command += ["--workers", ",".join(addresses)]
    commands = [[*command, "--index", index] for index in range(2)]
    assert_refused(commands, tmp_path, "Worker 1 (elsewhere.invalid", "cannot be reach")


def test_the_same_task_twice(common, tmp_path):
    variables = configurations(ports.free_addresses(2))
    command = ["-m", "keras_sagan", "train", *common, "--worker-timeout", 5]
    twice = variables[:1] * 2
    assert_refused([command] * 2, tmp_path, "(127.0.0.1:", variables=twice)


def test_a_chief_and_a_worker_of_tf_config_train_together(common, tmp_path):
    variables = configurations(ports.free_addresses(2))
    command = ["-m", "keras_sagan", "train", *common]
    started = processes.start([command] * 2, tmp_path, variables=variables)
    statuses, texts = processes.finish(started, tmp_path)
    assert statuses == [0, 0], texts
    assert all("Finished after 2 steps" in text for text in texts)
    assert (tmp_path / "run" / "model" / "model.weights.h5").is_file()
