"""Two processes over loopback against one: `fit` with stock callbacks."""

import json

import numpy as np
import pytest

from tests import helpers
from tests.training import equivalence, ports, processes

pytestmark = [pytest.mark.distributed, pytest.mark.slow]


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    """The output folders of two workers."""
    folder = tmp_path_factory.mktemp("workers")
    program = helpers.ROOT / "tests" / "training" / "worker_program.py"
    addresses = ",".join(ports.free_addresses(2))
    started = processes.start(
        [[program, addresses, index, folder] for index in range(2)], folder
    )
    statuses, texts = processes.finish(started, folder)
    assert statuses == [0, 0], texts
    return [folder / str(index) for index in range(2)]


@pytest.fixture(scope="module")
def logs(workers):
    return [json.loads((folder / "logs.json").read_text()) for folder in workers]


@pytest.fixture(scope="module")
def alone():
    gan, before = equivalence.build(equivalence.mirrored(1))
    history = gan.fit(
        equivalence.dataset(), validation_data=equivalence.dataset().take(2), verbose=0
    ).history
    equivalence.assert_moved(gan, before)
    return gan, history


def test_five_steps_of_64_images(workers, alone):
    expected = equivalence.weights(alone[0])
    found = []
    for folder in workers:
        with np.load(folder / "weights.npz") as content:
            found.append([content[name] for name in content.files])
    helpers.assert_equal(*found)
    assert equivalence.largest_error(found[0], expected) <= 1e-5


def test_logs_are_those_of_one_process_and_plain_numbers(logs, alone):
    _, history = alone
    for log in logs:
        assert log["history"] == logs[0]["history"]
        assert set(log["history"]) == set(history)
        assert all(kind == "float" for kinds in log["types"] for kind in kinds.values())
    for name, values in history.items():
        np.testing.assert_allclose(
            logs[0]["history"][name], values, rtol=1e-3, atol=1e-3, err_msg=name
        )


def test_twenty_steps_of_adam(logs):
    gan, _ = equivalence.build(
        equivalence.mirrored(1), g_optimizer=None, d_optimizer=None
    )
    for expected, actual in zip(equivalence.losses(gan), logs[0]["adam"], strict=True):
        for name, value in expected.items():
            assert abs(actual[name] - value) <= 1e-3 * max(1, abs(value)), name


def test_images_and_messages_between_workers(logs, alone):
    images = alone[0].generate(labels=[0, 1, 2], seed=1)
    for log in logs:
        helpers.assert_same_pixels(np.array(log["image"], np.uint8), images)
        assert log["called"] == logs[0]["called"]
        assert log["gathered"] == [[5], [6]]
        assert log["from_chief"] == {"x": [[-0.1]] * 3, "y": 0}


def test_mistakes_are_errors_on_every_worker(workers):
    for folder in workers:
        errors = json.loads((folder / "errors.json").read_text())
        assert "divisible by their number, 2. Received: batch_size=3" in errors["batch"]
        assert "`x` must be a tf.data.Dataset" in errors["arrays"]
        assert "first batch of the data set must be the same" in errors["order"]
        assert "shuffle with a seed" in errors["order"]
        assert "dataset is empty" in errors["empty"]
        assert "`predict` does not work on several workers" in errors["predict"]
        assert (
            "configuration must be the same on every worker" in errors["configuration"]
        )
        assert "on worker 1 than on worker 0" in errors["configuration"]
