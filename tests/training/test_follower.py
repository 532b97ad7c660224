"""Runs of two processes over loopback: who writes, and what happens after a kill."""

import time

import numpy as np
import pytest

from tests.training import processes

pytestmark = [pytest.mark.distributed, pytest.mark.slow]

STEPS = 6


@pytest.fixture(scope="module")
def common(picture_folder):
    text = "--batch-size 4 --seed 5 --dtype-policy float32 --log-every 2 "
    text += "--sample-every 100 --checkpoint-every 2 --set model.base_filters=4 "
    text += "--set model.attention_resolutions=[]"
    return ["--dataset", f"folder:{picture_folder}", *text.split()]


def start(common, folder, steps=STEPS, own=((), ())):
    more = [
        ["-o", folder / f"output{index}", "--steps", steps, *mine]
        for index, mine in enumerate(own)
    ]
    return processes.start(processes.train_commands(common, more), folder)


@pytest.fixture(scope="module")
def undisturbed(common, tmp_path_factory):
    """The directory of two workers that were left alone, and what they printed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    statuses, texts = processes.finish(start(common, folder), folder)
    assert statuses == [0, 0], texts
    return folder, texts


def state(folder):
    path = folder / "output0" / "checkpoints" / f"{STEPS:07d}" / "state.npz"
    with np.load(path) as content:
        return {name: content[name] for name in content.files}


def test_the_chief_writes_and_the_other_does_not(undisturbed):
    folder, (chief, other) = undisturbed
    names = {path.name for path in (folder / "output0").iterdir()}
    assert names >= {"checkpoints", "config.json", "metrics.jsonl", "model", "samples"}
    assert not (folder / "output1").exists()
    assert "4 images in a batch of 2 replicas together" in chief
    assert "images/s" in chief and "images/s" not in other
    assert f"Finished after {STEPS} steps" in other


@pytest.mark.chaos
@pytest.mark.patient  # kill -9 of one process is in test_chaos.py
def test_a_killed_worker_ends_the_run_and_a_restart_completes_it(
    common, undisturbed, tmp_path
):
    workers = start(common, tmp_path, steps=100_000)
    first = tmp_path / "output0" / "checkpoints" / "0000002"
    while not first.exists() and all(x.poll() is None for x in workers):
        time.sleep(0.02)
    workers[1].kill()
    begin = time.monotonic()
    (status, _), (text, _) = processes.finish(workers, tmp_path)
    assert status == 75, text
    assert time.monotonic() - begin < 60
    assert "Worker 1 (127.0.0.1:" in text and "is gone" in text
    assert "Start all workers again with the same command" in text

    # More steps may be behind than the undisturbed run made.
    resumed = [["--resume-from", 2], []]
    statuses, texts = processes.finish(start(common, tmp_path, own=resumed), tmp_path)
    assert statuses == [0, 0], texts
    expected, actual = state(undisturbed[0]), state(tmp_path)
    assert set(actual) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value, name)


def test_other_settings_are_named_on_both(common, tmp_path):
    own = ([], ["--g-learning-rate", "3e-4"])
    statuses, texts = processes.finish(start(common, tmp_path, own=own), tmp_path)
    assert statuses == [2, 2], texts
    for text in texts:
        assert "The configuration must be the same on every worker" in text
        assert "optimizer.g_learning_rate: " in text and "0.0003 on worker 1" in text
    assert not (tmp_path / "output0").exists()
