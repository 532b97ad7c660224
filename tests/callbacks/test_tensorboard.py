import numpy as np
import tensorflow as tf

from keras_sagan import callbacks
from keras_sagan.callbacks import tensorboard
from keras_sagan.training import networks
from keras_sagan.visualize import attention_figure, image_grid
from tests import helpers
from tests.callbacks.attaching import attach
from tests.callbacks.event_points import event_points


def test_grids_figures_and_histograms_of_every_grid(tmp_path):
    gan = helpers.tiny_gan()
    gan.compile()
    grid = callbacks.SampleGrid(tmp_path / "{step}.png", 5, [2, 0], [3, 4], 2)
    board = tensorboard.TensorBoardPictures(tmp_path / "logs", grid)
    for step, event in [(0, "on_train_begin"), (1, None), (5, None)]:
        gan.step_counter.count.assign(step)
        for callback in (grid, board):
            callback.set_model(gan)
            getattr(callback, event or "on_train_batch_end")(*([] if event else [0]))
    board.on_train_end()
    found = event_points(tmp_path / "logs")
    assert [step for step, _ in found["samples"]] == [0, 5]
    expected = {
        "samples": image_grid(grid.images, 2),
        "attention": attention_figure(gan, 2, 3),
    }
    for tag, pixels in expected.items():
        *_, encoded = found[tag][-1][1]
        np.testing.assert_array_equal(tf.io.decode_png(encoded), pixels)
    kernels = [name for name in found if name.endswith("kernel")]
    assert {name[:9] for name in kernels} == {"g_weights", "d_weights"}
    weight = gan.generator.get_layer("to_images").layer.kernel
    counts = found["g_weights/to_images/to_images/kernel"][-1][1][:, 2]
    assert counts.sum() == np.prod(weight.shape)


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
    assert scalars[1:] == [(30, *x) for x in networks.sigmas(gan).items()]


def test_scalars_of_before_in_a_directory_without_files(gan, tmp_path):
    rows = [{"step": 5, "seconds": 1.0, "images_per_second": 2.0, "g_loss": 0.5}]
    board = attach(callbacks.TensorBoardScalars(tmp_path, rows), gan)
    for step in (10, 20):  # `fit` twice
        board.on_train_begin()
        attach(board, gan, step).on_epoch_end(0, {"g_loss": 1.5})
        board.on_train_end()
    found = event_points(tmp_path)
    assert "seconds" not in found
    assert sorted(step for step, _ in found["g_loss"]) == [5, 10, 20]
