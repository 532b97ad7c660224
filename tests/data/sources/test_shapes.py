import collections

import numpy as np
import pytest

from keras_sagan.data import load
from keras_sagan.data.sources import shapes
from keras_sagan.data.sources.glyphs import COLORS
from keras_sagan.data.sources.shapes import PAIRS, SHAPES


def drawn(count, image_size=32, split="train"):
    images, labels = zip(
        *(shapes.render(split, i, image_size) for i in range(count)), strict=True
    )
    return np.stack(images), np.array(labels)


@pytest.mark.parametrize(("image_size", "count"), [(8, 300), (32, 600), (128, 24)])
def test_the_data_set_keeps_its_rule(image_size, count):
    """The measure is exact: it finds every object of every image."""
    images, labels = drawn(count, image_size)
    result = shapes.agreement(images, labels)
    assert result.color.all() and result.shape.all()
    assert result.both.all() and result.label.all()


def test_every_class_shows_both_shapes_of_its_pair_in_every_color():
    images, labels = drawn(1200)
    objects = shapes.nearest(images)
    seen = collections.Counter(
        zip(labels, objects.shapes[:, 0], objects.colors[:, 0], strict=True)
    )
    assert len(seen) == len(PAIRS) * 2 * len(COLORS)
    assert {(label, shape) for label, shape, _ in seen} == {
        (label, shape) for label, pair in enumerate(PAIRS) for shape in pair
    }
    assert len(set(shapes.CLASS_NAMES)) == 6


def test_unrelated_halves_agree_by_chance_only():
    """The right halves of other images of the same class."""
    images, labels = drawn(2400)
    rng = np.random.default_rng(0)
    order = rng.permuted(np.arange(2400).reshape(-1, 6), axis=0).ravel()
    images[:, :, 16:] = images[order][:, :, 16:]
    result = shapes.agreement(images, labels)
    assert result.label.all()
    assert result.color.mean() == pytest.approx(1 / 6, abs=0.03)
    assert result.shape.mean() == pytest.approx(1 / 2, abs=0.04)
    assert result.both.mean() == pytest.approx(1 / 12, abs=0.03)


@pytest.mark.parametrize("side", [0, 1])
def test_objects_of_other_shapes_and_colors_are_told_apart(side):
    for shape in range(len(SHAPES)):
        for color in range(len(COLORS)):
            image = np.zeros((1, 32, 32, 3), np.uint8)
            shapes.draw(image[0], shape, color, 7, 2 + side * 18)
            objects = shapes.nearest(image)
            assert objects.shapes[0, side] == shape
            assert objects.colors[0, side] == color
            assert objects.found.tolist() == [[side == 0, side == 1]]
            assert not any(map(np.any, shapes.agreement(image)[:3]))


def test_noise_and_fog_hide_no_object():
    images, labels = drawn(300)
    noisy = images + np.random.default_rng(0).normal(0, 30, images.shape)
    noisy = noisy.clip(0, 255).astype(np.uint8)
    assert shapes.agreement(noisy, labels).both.mean() > 0.97


@pytest.mark.parametrize("value", [0, 255])
def test_empty_images_do_not_agree(value):
    images = np.full((2, 32, 32, 3), value, np.uint8)
    result = shapes.agreement(images, [0, 1])
    assert not result.both.any()
    assert not result.label.any()


def test_a_shape_outside_the_class_is_told():
    images, labels = drawn(6)
    other = np.array([5, 4, 3, 2, 1, 0])  # the pairs that share no shape
    assert shapes.agreement(images, labels).label.all()
    assert not shapes.agreement(images, other).label.any()
    assert shapes.agreement(images).label is None


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 32, 32, 1), np.uint8),
        np.zeros((2, 32, 32, 3)),
        np.zeros((2, 32, 16, 3), np.uint8),
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((0, 32, 32, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(images):
    with pytest.raises(ValueError, match=r"uint8 array \(n, S, S, 3\), n > 0\. Rec"):
        shapes.nearest(images)


def test_objects_are_far_apart():
    """More than a half of the image from centre to centre, at any height."""
    images, _ = drawn(600)
    columns = (images.max(axis=3) > 0).any(axis=1)
    assert not columns[:, 14:18].any()
    rows = (images.max(axis=3) > 0).any(axis=2)
    assert rows[:, 1:31].any(axis=0).all()


@pytest.mark.slow
def test_load(cache_dir):
    source = load("shapes", 8, split="test", cache_dir=cache_dir)
    assert source.num_examples == 2_400
    assert source.class_names == shapes.CLASS_NAMES
    assert source.class_counts == (400,) * 6
    np.testing.assert_array_equal(source.arrays()[0][7], shapes.render("test", 7, 8)[0])
