import numpy as np
import pytest
from PIL import Image

from keras_sagan.visualize import (
    class_rows,
    grids,
    image_grid,
    save_grid,
    shown_classes,
)


def numbered(count, channels=3):
    """Images of 2 x 3 pixels, image i with the value i + 1."""
    values = np.arange(1, count + 1, dtype=np.uint8)
    return np.broadcast_to(values[:, None, None, None], (count, 2, 3, channels))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grid_row_by_row_on_white(channels):
    grid = image_grid(numbered(5, channels), columns=3, padding=1)
    expected = np.full((2 * 3 + 1, 3 * 4 + 1), 255, np.uint8)
    for value, (top, left) in enumerate([(1, 1), (1, 5), (1, 9), (4, 1), (4, 5)], 1):
        expected[top : top + 2, left : left + 3] = value
    assert grid.shape == (*expected.shape, channels)
    for channel in range(channels):
        np.testing.assert_array_equal(grid[:, :, channel], expected)


def test_grid_is_no_wider_than_its_images():
    assert image_grid(numbered(2), columns=10, padding=0).shape == (2, 6, 3)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 4, 4), np.uint8), r"\(n, height, width, channels\)"),
        (np.zeros((2, 4, 4, 2), np.uint8), r"Received shape: \(2, 4, 4, 2\)"),
        (np.zeros((0, 4, 4, 3), np.uint8), r"n >= 1"),
        (np.zeros((2, 4, 4, 3), np.float32), r"dtype=float32"),
    ],
)
def test_grid_refuses_other_arrays(images, message):
    with pytest.raises(ValueError, match=message):
        image_grid(images, columns=2)


@pytest.mark.parametrize(("columns", "padding"), [(0, 2), (2, -1)])
def test_grid_refuses_impossible_layouts(columns, padding):
    with pytest.raises(ValueError, match=r"`columns` must be at least 1"):
        image_grid(numbered(2), columns, padding)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_save_grid_writes_one_png(tmp_path, channels, mode):
    path = tmp_path / "new" / "grid.png"
    save_grid(path, numbered(4, channels), columns=2)
    with Image.open(path) as image:
        assert image.mode == mode
        pixels = np.asarray(image).reshape(image.height, image.width, channels)
    np.testing.assert_array_equal(pixels, image_grid(numbered(4, channels), 2))
    assert [entry.name for entry in path.parent.iterdir()] == ["grid.png"]


def test_save_grid_refuses_other_formats(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.png"):
        save_grid(tmp_path / "grid.jpg", numbered(1), columns=1)
    assert not list(tmp_path.iterdir())


def test_class_rows_repeat_the_latents():
    labels, seeds = class_rows(["cat", 7], columns=3, seed=5)
    assert labels == ["cat", "cat", "cat", 7, 7, 7]
    assert seeds == [5, 6, 7, 5, 6, 7]


def test_shown_classes():
    assert shown_classes(1) == [0]
    assert shown_classes(10) == list(range(10))
    assert shown_classes(16) == list(range(16))
    spread = shown_classes(1000)
    assert len(spread) == 16 and spread[0] == 0 and spread[-1] == 999


def test_small_images_are_enlarged_by_whole_factors():
    images = np.arange(24, dtype=np.uint8).reshape(1, 2, 2, 2, 3)
    large = grids.enlarged(images, 5)
    assert large.shape == (1, 2, 6, 6, 3)
    np.testing.assert_array_equal(large[:, :, 1::3, 2::3], images)
    np.testing.assert_array_equal(grids.enlarged(images, 2), images)


def test_two_grids_beside_each_other():
    left = np.zeros((2, 1, 4, 4, 3), np.uint8)
    pixels = grids.beside(left, np.zeros((2, 3, 4, 4, 3), np.uint8), gap=5)
    assert pixels.shape == (2 * 6 + 2, (6 + 2) + 5 + (3 * 6 + 2), 3)
    assert (pixels[:, 8:13] == 255).all()
