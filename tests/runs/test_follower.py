"""Runs of two processes over loopback: who writes, and what happens after a kill."""

import re
import signal
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


def state(folder, step=STEPS):
    path = folder / "output0" / "checkpoints" / f"{step:07d}" / "state.npz"
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


def test_the_chief_scores_and_all_end_at_the_target(common, tmp_path):
    """Then the same again: there is nothing left to do, on any worker."""
    text = "--evaluate-every 2 --evaluate-extractor classifier --evaluate-images 12 "
    text += "--evaluate-metrics kid --target 1e9 --evaluate-share 1 "
    text += "--set evaluation.num_real=12"
    for _ in range(2):
        workers = start(common, tmp_path, steps=100_000, own=[text.split()] * 2)
        statuses, texts = processes.finish(workers, tmp_path)
        assert statuses == [0, 0], texts
        found = [re.search(r"Finished after (\d+) steps", text) for text in texts]
        # The step in which the chief evaluated, and the one that tells the others.
        assert [x[1] for x in found] == ["3", "3"], texts
        assert "Best:    step 2: kernel_distance_classifier" in texts[0]
    scores = (tmp_path / "output0" / "evaluation" / "evaluation.csv").read_text()
    assert [x.partition(",")[0] for x in scores.split()] == ["step", "2"]
    assert not (tmp_path / "output1").exists()


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


def stop(common, folder, worker, number):
    """Sends a running worker a signal; the step after which both have ended."""
    workers = start(common, folder, steps=100_000)
    while not list((folder / "output0").glob("metrics.jsonl")):
        assert all(x.poll() is None for x in workers), processes.finish(workers, folder)
        time.sleep(0.02)
    workers[worker].send_signal(number)
    begin = time.monotonic()
    statuses, texts = processes.finish(workers, folder)
    assert time.monotonic() - begin < 60
    assert statuses == [128 + number] * 2, texts
    found = [re.search(r"Interrupted after (\d+) steps", text) for text in texts]
    first, second = (int(x[1]) for x in found)
    assert first == second
    checkpoints = folder / "output0" / "checkpoints"
    assert sorted(x.name for x in checkpoints.iterdir())[-1] == f"{first:07d}"
    return first


@pytest.mark.chaos
def test_sigterm_at_a_follower_ends_both_after_the_same_step(common, tmp_path):
    stop(common, tmp_path, 1, signal.SIGTERM)
    assert not (tmp_path / "output0" / "model").exists()
    assert not (tmp_path / "output1").exists()


@pytest.mark.chaos
@pytest.mark.patient
@pytest.mark.parametrize(
    ("worker", "number"), [(0, signal.SIGTERM), (1, signal.SIGTERM), (1, signal.SIGINT)]
)
def test_after_a_signal_a_restart_goes_on_exactly(common, tmp_path, worker, number):
    step = stop(common, tmp_path, worker, number)
    assert (tmp_path / "output0" / "model").exists() == (number == signal.SIGINT)
    whole, last = tmp_path / "whole", step + 3
    for folder in (tmp_path, whole):
        workers = start(common, folder, steps=last)
        statuses, texts = processes.finish(workers, folder)
        assert statuses == [0, 0], texts
    expected, actual = state(whole, last), state(tmp_path, last)
    assert set(actual) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value, name)


@pytest.mark.chaos
@pytest.mark.patient
def test_a_chief_that_cannot_go_on_ends_the_others(common, tmp_path):
    step = stop(common, tmp_path, 0, signal.SIGTERM)
    for path in (tmp_path / "output0" / "checkpoints").glob("*/state.npz"):
        path.write_bytes(path.read_bytes()[:1000])
    begin = time.monotonic()
    workers = start(common, tmp_path, steps=step + 3)
    statuses, (chief, other) = processes.finish(workers, tmp_path)
    assert statuses == [1, 75], (chief, other)
    assert time.monotonic() - begin < 60
    assert "the run cannot go on: No checkpoint in" in chief
    assert "Worker 0 (127.0.0.1:" in other and "stopped: the run cannot go on" in other


def test_other_settings_are_named_on_both(common, tmp_path):
    own = ([], ["--g-learning-rate", "3e-4"])
    statuses, texts = processes.finish(start(common, tmp_path, own=own), tmp_path)
    assert statuses == [2, 2], texts
    for text in texts:
        assert "The configuration must be the same on every worker" in text
        assert "optimizer.g_learning_rate: " in text and "0.0003 on worker 1" in text
    assert not (tmp_path / "output0").exists()
