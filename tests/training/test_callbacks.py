import json
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_sagan import SAGAN
from keras_sagan.training import callbacks, observations
from keras_sagan.visualize import image_grid


@pytest.fixture(scope="module")
def built():
    return SAGAN.from_preset("sagan_32_small", base_filters=4, num_classes=2)


@pytest.fixture
def gan(built):
    """An untrained model; tests set its step."""
    built.stop_training = False
    built.g_optimizer.iterations.assign(0)
    return built


def attach(callback, gan, step=0):
    callback.set_model(gan)
    gan.g_optimizer.iterations.assign(step)
    return callback


def test_step_is_the_generators(gan):
    assert attach(callbacks.StepCallback(), gan, step=7).step == 7


@pytest.mark.parametrize(("step", "stops"), [(4, False), (5, True), (6, True)])
def test_limits_end_after_the_steps(gan, step, stops):
    limits = attach(callbacks.Limits(steps=5), gan, step)
    limits.on_train_batch_begin(0)
    limits.on_train_batch_end(0)
    assert gan.stop_training == stops


@pytest.mark.parametrize(
    ("seconds", "reserve", "stops"), [(60, 0, False), (60, 61, True), (-1, 0, True)]
)
def test_limits_keep_the_reserve_before_the_deadline(gan, seconds, reserve, stops):
    deadline = time.monotonic() + seconds
    limits = attach(callbacks.Limits(100, deadline, reserve=lambda: reserve), gan)
    limits.on_train_batch_begin(0)
    limits.on_train_batch_end(0)
    assert gan.stop_training == stops


def test_sample_grids_of_the_same_latents(gan, tmp_path):
    labels, seeds = [0, 0, 1, 1], [3, 4, 3, 4]
    grid = callbacks.SampleGrid(tmp_path / "{step:03d}.png", 10, labels, seeds, 2)
    attach(grid, gan).on_train_begin()
    for step in (9, 10, 11, 19, 23):
        attach(grid, gan, step).on_train_batch_end(0)
    attach(grid, gan, 25).on_train_end()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["000.png", "010.png", "023.png", "025.png"]
    assert grid.images.shape == (4, 32, 32, 3)
    assert grid.path == tmp_path / "025.png"
    assert grid.seconds > 0
    with Image.open(grid.path) as image:
        pixels = np.asarray(image)
    expected = image_grid(gan.generate(labels=labels, seed=seeds), columns=2)
    np.testing.assert_array_equal(pixels, expected)


def test_no_grid_twice(gan, tmp_path):
    grid = callbacks.SampleGrid(tmp_path / "{step}.png", 5, [0], [0], 1, at_end=False)
    attach(grid, gan, 7).on_train_begin()  # a run that goes on
    assert not list(tmp_path.iterdir())
    attach(grid, gan, 10).on_train_batch_end(0)
    grid.on_train_end()
    [path] = tmp_path.iterdir()
    before = path.stat().st_mtime_ns
    grid.write_last()
    assert path.stat().st_mtime_ns == before
    attach(grid, gan, 11).on_train_end()
    assert [x.name for x in tmp_path.iterdir()] == ["10.png"]
    grid.write_last()
    assert (tmp_path / "11.png").exists()


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


def test_tensorboard_scalars_by_step(gan, tmp_path):
    board = attach(callbacks.TensorBoardScalars(tmp_path), gan)
    board.on_train_begin()
    attach(board, gan, step=30).on_epoch_end(0, {"g_loss": 1.5})
    board.on_train_end()
    [path] = tmp_path.iterdir()
    events = [
        tf.compat.v1.Event.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    scalars = [
        (event.step, value.tag, float(tf.make_ndarray(value.tensor)))
        for event in events
        for value in event.summary.value
    ]
    assert scalars[0] == (30, "g_loss", 1.5)
    assert scalars[1:] == [(30, *x) for x in observations.sigmas(gan).items()]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_raises_with_the_step(gan, value):
    guard = attach(callbacks.StopOnNonFinite(), gan, step=200)
    guard.on_epoch_end(0, {"d_loss": 1.0})
    logs = {"d_loss": 1.0, "g_loss": keras.ops.convert_to_tensor(value)}
    with pytest.raises(callbacks.DivergenceError, match=r"step 200: \{'g_loss'"):
        guard.on_epoch_end(0, logs)
