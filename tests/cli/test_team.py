"""Mistakes that one process can make; several are in `tests/training`."""

import json
import threading

import numpy as np
import pytest

from keras_sagan.cli import team
from keras_sagan.cli.main import main
from keras_sagan.config.presets import get_preset
from keras_sagan.distributed.workers import WorkerLost
from tests.training import connections, ports


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--strategy both", "none, mirrored, multi_worker, auto. Received: 'both'"),
        ("--strategy multi_worker", "strategy='multi_worker', no workers"),
        ("--workers a:1,b:2", "`--workers` needs `--index`"),
        ("--workers a:1,a:1 --index 0", "different addresses"),
        ("--workers a:1,b:2 --index 2", "Received: index=2"),
        ("--strategy mirrored --workers a:1,b:2 --index 0", "'mirrored', workers"),
    ],
)
def test_mistakes(options, message, picture_folder, tmp_path, capsys):
    data = ["--dataset", f"folder:{picture_folder}", "-o", str(tmp_path / "run")]
    assert main(["train", *data, *options.split()]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_wrong_tf_config(picture_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {}}')
    data = ["--dataset", f"folder:{picture_folder}", "-o", str(tmp_path / "run")]
    assert main(["train", *data]) == 2
    assert "TF_CONFIG describes no cluster" in capsys.readouterr().err


@pytest.mark.parametrize("index", [0, 1])
def test_a_worker_alone_gives_up(index, picture_folder, tmp_path, capsys):
    workers = ",".join(ports.free_addresses(2))
    data = ["--dataset", f"folder:{picture_folder}", "-o", str(tmp_path / "run")]
    options = f"--workers {workers} --index {index} --worker-timeout 1"
    assert main(["train", *data, *options.split()]) == 2
    assert "within 1 seconds" in capsys.readouterr().err


def test_a_batch_that_does_not_divide(picture_folder, tmp_path, capsys):
    data = ["--dataset", f"folder:{picture_folder}", "-o", str(tmp_path / "run")]
    options = "--strategy mirrored --batch-size 6 --set model.base_filters=4"
    assert main(["train", *data, *options.split()]) == 2  # four logical CPU devices
    assert "their number, 4. Received: batch_size=6" in capsys.readouterr().err


@pytest.mark.parametrize("failing", [0, 1])
def test_a_worker_that_fails_does_not_wait_for_the_others(failing, monkeypatch):
    monkeypatch.setattr(team, "_leave", pytest.fail)  # else it ends this process

    def fail(workers):
        with team._together(workers):
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
    monkeypatch.setattr(team, "_leave", left.append)
    monkeypatch.setattr(team, "_GRACE_SECONDS", 0.1)
    with connections.connected(2) as (chief, _):
        team._check_lost(chief, RuntimeError(message))
    prefix = "Another worker cannot be reached: "
    assert left == [f"{prefix}{reason}" for reason in expected]


def test_what_workers_agree_on():
    config = get_preset("sagan_32").run_config({"data.cache_dir": "/here"})
    elsewhere = config.override({"data.cache_dir": "/there"})
    agreed = team.settings_to_agree_on(config)
    assert agreed == team.settings_to_agree_on(elsewhere)
    other = config.override({"training.seed": 5})
    assert agreed != team.settings_to_agree_on(other)
    json.dumps(agreed)


def test_data_differ_by_a_pixel_or_a_label():
    class Source:
        num_examples, class_names = 600, ("a", "b")
        images = np.zeros((600, 4, 4, 3), np.uint8)
        labels = np.zeros((600,), np.int32)

        def arrays(self):
            return self.images, self.labels

    source = Source()
    first = team.data_to_agree_on(source)
    source.labels = source.labels.copy()
    source.labels[599] = 1
    second = team.data_to_agree_on(source)
    source.images = source.images.copy()
    source.images[0, 0, 0, 0] = 1
    third = team.data_to_agree_on(source)
    assert len({json.dumps(x) for x in (first, second, third)}) == 3
