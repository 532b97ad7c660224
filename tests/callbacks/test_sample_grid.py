import numpy as np
from PIL import Image

from keras_sagan import callbacks
from keras_sagan.visualize import image_grid
from tests.callbacks.attaching import attach


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


def test_a_grid_that_was_removed_is_drawn_again(gan, tmp_path):
    grid = callbacks.SampleGrid(tmp_path / "{step}.png", 5, [0], [0], 1, at_end=False)
    attach(grid, gan, 10).on_train_begin()  # a run that goes on
    assert [x.name for x in tmp_path.iterdir()] == ["10.png"]
    before = (tmp_path / "10.png").read_bytes()
    (tmp_path / "10.png").unlink()
    grid.write_last()
    assert (tmp_path / "10.png").read_bytes() == before
