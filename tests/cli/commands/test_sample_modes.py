import argparse

import numpy as np
import pytest
from PIL import Image

from keras_sagan import data, sampling
from keras_sagan.cli.commands import sample_modes
from keras_sagan.cli.errors import UserError
from keras_sagan.training import generation
from keras_sagan.visualize import interpolation
from tests import helpers


@pytest.fixture(scope="module")
def gan():
    gan = helpers.tiny_gan()
    gan.refresh_ema()
    return gan


def asked(**values):
    usual = {"seed": 4, "num_images": 3, "truncation": None, "frames": 2}
    return argparse.Namespace(**{**usual, "nearest": None, **values})


def test_a_row_a_label(gan):
    cells = sample_modes.plain(gan.generate, ["blue", 0], asked())
    assert cells.shape == (2, 3, 32, 32, 3)
    expected = gan.generate(labels=[2, 2, 2, 0, 0, 0], seed=[4, 5, 6, 4, 5, 6])
    np.testing.assert_array_equal(cells.reshape(6, 32, 32, 3), expected)


@pytest.mark.parametrize(("count", "shape"), [(4, (2, 2)), (5, (2, 3)), (1, (1, 1))])
def test_a_square_without_labels(count, shape):
    def generate(num_images, seed, truncation):
        return np.array(seed, np.uint8)[:, None, None, None] * np.ones(
            (1, 4, 4, 1), "u1"
        )

    cells = sample_modes.plain(generate, [], asked(num_images=count))
    assert cells.shape[:2] == shape
    values = cells[..., 0, 0, 0].ravel()
    assert values[:count].tolist() == list(range(4, 4 + count))
    assert (values[count:] == 255).all()
    alone = sample_modes.plain(generate, [], asked(num_images=count, nearest="run"))
    assert alone[:, :, 0, 0, 0].tolist() == [[4 + i] for i in range(count)]


def test_truncation_sweep(gan):
    options = asked(truncation_sweep=[0.3, None], num_images=4)
    cells = sample_modes.truncation_sweep(gan.generate, [2, 1], options)
    assert cells.shape == (2, 4, 32, 32, 3)
    for row, truncation in zip(cells, [0.3, None], strict=True):
        expected = gan.generate(labels=[2, 1, 2, 1], seed=4, truncation=truncation)
        np.testing.assert_array_equal(row, expected)


def test_latent_interpolation(gan):
    options = asked(interpolate_latents=[7, 3, 5], frames=2)
    cells = sample_modes.latent_interpolation(gan, ["green", 2], options)
    assert cells.shape == (2, 5, 32, 32, 3)
    for row, label in zip(cells, [1, 2], strict=True):
        stops = gan.generate(labels=[label] * 3, seed=[7, 3, 5])
        helpers.assert_same_pixels(row[::2], stops)
        first, last, _ = sampling.latents(8, [7, 3, 5])
        middle = interpolation.spherical(first, last, [0.5])
        expected = generation.images(gan.ema_generator, middle, np.array([label]))
        helpers.assert_same_pixels(row[1:2], expected)


@pytest.mark.slow
def test_latent_interpolation_without_classes():
    gan = helpers.tiny_gan(num_classes=None)
    options = asked(interpolate_latents=[1, 2], frames=1)
    cells = sample_modes.latent_interpolation(gan, [], options)
    helpers.assert_same_pixels(cells[0], gan.generate(num_images=2, seed=1))
    with pytest.raises(UserError, match="needs a model with classes"):
        sample_modes.class_interpolation(gan, [0, 1], asked())


def test_class_interpolation(gan):
    options = asked(truncation=0.8, num_images=2)
    cells = sample_modes.class_interpolation(gan, ["red", 2, 1], options)
    assert cells.shape == (2, 5, 32, 32, 3)
    for row, seed in zip(cells, [4, 5], strict=True):
        stops = gan.generate(labels=[0, 2, 1], seed=[seed] * 3, truncation=0.8)
        helpers.assert_same_pixels(row[::2], stops)
        assert (row[1] != row[0]).any() and (row[1] != row[2]).any()
    with pytest.raises(UserError, match=r"two or more with --labels. Received: 1"):
        sample_modes.class_interpolation(gan, [0], asked())


def test_nearest_neighbours_of_named_data(picture_folder):
    options = asked(nearest=f"folder:{picture_folder}", neighbours=3, model=None)
    source = data.load(options.nearest, image_size=32, batch_size=1)
    images = source.arrays()[0]
    cells, words = sample_modes.nearest_neighbours(images[None, 5:7], options)
    assert cells.shape == (2, 4, 32, 32, 3)
    np.testing.assert_array_equal(cells[:, 0], images[5:7])
    np.testing.assert_array_equal(cells[:, 1], images[5:7])
    assert "nearest of 16 training pictures" in words
    assert "in grey levels: 0.0 at least" in words
    assert "2 of 2 images are copies" in words


def test_named_data_are_read_as_the_run_read_them(tmp_path):
    folder = tmp_path / "oblong"
    folder.mkdir()
    for i in range(3):
        Image.new("RGB", (48, 32), (80 * i, 0, 255)).save(folder / f"{i}.png")
    (tmp_path / "config.json").write_text('{"training": {}, "data": {"fit": "pad"}}')
    options = asked(nearest=f"folder:{folder}", neighbours=1, model=str(tmp_path))
    padded = data.load(options.nearest, 32, 1, fit="pad").arrays()[0]
    _, words = sample_modes.nearest_neighbours(padded[None], options)
    assert "3 of 3 images are copies" in words


def test_data_that_are_not_named(run_directory):
    options = asked(nearest="run", neighbours=3, model=str(run_directory / "model"))
    with pytest.raises(UserError, match=r"name the data, e\.g\. --nearest folder:PATH"):
        sample_modes.nearest_neighbours(np.zeros((1, 1, 32, 32, 3), np.uint8), options)
