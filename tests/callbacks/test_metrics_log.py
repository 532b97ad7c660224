import json
import time

import numpy as np
import pytest

from keras_sagan import callbacks
from tests.callbacks.attaching import attach


def test_metrics_log_appends_rows(gan, tmp_path):
    path = tmp_path / "metrics.jsonl"
    log = attach(callbacks.MetricsLog(path, examples_per_step=8), gan)
    log.on_train_begin()
    for epoch in range(2):
        log.on_epoch_begin(epoch)
        log.on_train_batch_begin(0)
        time.sleep(0.05)
        attach(log, gan, step=5 * (epoch + 1)).on_train_batch_end(0)
        time.sleep(0.5)  # samples: not part of the rate
        log.on_epoch_end(epoch, {"d_loss": np.float32(0.5)})
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["step"] for row in rows] == [5, 10]
    assert all(row["d_loss"] == 0.5 for row in rows)
    assert rows[0]["g_sigma/to_images"] == float(gan.generator.layers[-2].sigma())
    assert all(100 < row["images_per_second"] <= 5 * 8 / 0.05 for row in rows)
    assert rows[0]["seconds"] < rows[1]["seconds"]


def test_a_file_that_was_removed_is_not_begun_again(gan, tmp_path):
    path = tmp_path / "metrics.jsonl"
    log = attach(callbacks.MetricsLog(path, examples_per_step=8), gan)
    log.on_train_begin()
    log.on_epoch_begin(0)
    log.on_train_batch_begin(0)
    time.sleep(0.01)
    attach(log, gan, step=5).on_train_batch_end(0)
    log.on_epoch_end(0, {"d_loss": 0.5})
    log.on_epoch_end(0, {"d_loss": 0.5})
    assert len(path.read_text().splitlines()) == 2
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"metrics\.jsonl"):
        log.on_epoch_end(1, {"d_loss": 0.5})
    assert not path.exists()
