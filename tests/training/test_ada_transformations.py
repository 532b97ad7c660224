"""The transformations of ADA against maps and loops written in NumPy."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.training import ada_transformations
from keras_sagan.training.ada_transformations import DRAWS

OPERATIONS = ("blit", "geometric", "color")
WIDTH = sum(DRAWS.values())


def pictures(count=4, size=8, channels=3, dtype="float32"):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, size, size, channels)).astype(dtype)


def draws(**columns):
    """One row in which no gate is open, but for the named columns."""
    row = np.full((1, WIDTH), 0.99, "float32")
    for name, value in columns.items():
        row[0, int(name[1:])] = value
    return tf.constant(row)


def transformed(images, u, probability=0.5):
    return ada_transformations.transform(
        tf.constant(images), u, tf.constant(probability, images.dtype), OPERATIONS
    ).numpy()


def test_nothing_happens_where_the_probability_is_0():
    images = pictures(50, 16)
    u = np.random.default_rng(1).uniform(0, 1, (50, WIDTH)).astype("float32")
    np.testing.assert_array_equal(transformed(images, tf.constant(u), 0.0), images)


@pytest.mark.parametrize("probability", [0.1, 0.8])
def test_each_transformation_has_the_probability(probability):
    """One operation of the nine alone: how many of 2,000 images it changes."""
    gates = {0: 0.5, 2: 0.75, 4: 1 - 1 / 9, 7: 1, 11: 1, 15: 1}
    gates |= {18: 1, 20: 1, 22: 0.5, 24: 1, 26: 1}
    images = pictures(2000, 8)
    rng = np.random.default_rng(2)
    for gate, changes in gates.items():
        u = np.full((2000, WIDTH), 0.999, "float32")
        u[:, gate] = rng.uniform(0, 1, 2000)
        stop = gate + (3 if gate in (4, 15) else 2)
        u[:, gate + 1 : stop] = rng.uniform(0, 1, (2000, stop - gate - 1))
        result = transformed(images, tf.constant(u), probability)
        changed = (np.abs(result - images).max(axis=(1, 2, 3)) > 1e-6).mean()
        assert changed == pytest.approx(probability * changes, abs=0.04), gate


def test_the_two_rotations_have_the_probability_together():
    images = pictures(2000, 8)
    rng = np.random.default_rng(2)
    u = np.full((2000, WIDTH), 0.999, "float32")
    u[:, [9, 10, 13, 14]] = rng.uniform(0, 1, (2000, 4))
    result = transformed(images, tf.constant(u), 0.6)
    changed = (np.abs(result - images).max(axis=(1, 2, 3)) > 1e-6).mean()
    assert changed == pytest.approx(0.6, abs=0.04)


def test_flip_and_quarter_turns_move_pixels():
    images = pictures(1)
    np.testing.assert_array_equal(
        transformed(images, draws(_0=0, _1=0.1)), images[:, :, ::-1]
    )
    for quarter in range(4):
        u = draws(_2=0, _3=(quarter + 0.5) / 4)
        turned = transformed(images, u)[0]
        wanted = [np.rot90(images[0], k) for k in (quarter, -quarter)]
        assert any(np.array_equal(turned, w) for w in wanted)


def test_whole_pixels_come_back_mirrored():
    images = pictures(1)
    moved = transformed(images, draws(_4=0, _5=0.99, _6=0.4))[0]  # x + 1, y + 0
    np.testing.assert_array_equal(moved[:, :-1], images[0, :, 1:])
    np.testing.assert_array_equal(moved[:, -1], images[0, :, -2])


def bilinear(image, matrix):
    """The definition, pixel by pixel, in float64."""
    size = len(image)
    result = np.zeros(image.shape)

    def pixel(y, x):
        y, x = (abs((v + size - 1) % (2 * size - 2) - (size - 1)) for v in (y, x))
        return image[y, x]

    for row in range(size):
        for column in range(size):
            x, y, _ = matrix @ [column - (size - 1) / 2, row - (size - 1) / 2, 1]
            x, y = x + (size - 1) / 2, y + (size - 1) / 2
            left, top = math.floor(x), math.floor(y)
            for dy in (0, 1):
                for dx in (0, 1):
                    weight = (1 - abs(x - left - dx)) * (1 - abs(y - top - dy))
                    result[row, column] += weight * pixel(top + dy, left + dx)
    return result


def test_sampling_is_bilinear():
    images = pictures(3, dtype="float64")
    maps = np.random.default_rng(3).normal(0, 1, (3, 3, 3))
    maps[:, :2, 2] *= 5
    maps[:, 2] = [0, 0, 1]
    actual = ada_transformations.sample(tf.constant(images), tf.constant(maps))
    for image, matrix, result in zip(images, maps, actual, strict=True):
        np.testing.assert_allclose(result, bilinear(image, matrix), atol=1e-9)


def quantile(u):
    return float(tf.math.ndtri(tf.constant(u, tf.float64)))


def test_the_geometric_map():
    """Scale, rotation, stretch, rotation, shift, each at a value of its own."""
    images = pictures(1, 16, dtype="float64")
    columns = {7: 0, 8: 0.9, 9: 0, 10: 0.6, 11: 0, 12: 0.2, 13: 0, 14: 0.3}
    columns |= {15: 0, 16: 0.7, 17: 0.4}
    u = np.full((1, WIDTH), 0.99)
    u[0, list(columns)] = list(columns.values())
    result = transformed(images, tf.constant(u))[0]

    def turn(share):
        angle = 2 * np.pi * share - np.pi
        cos, sin = np.cos(angle), np.sin(angle)
        return np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])

    scale, stretch = (2 ** (0.2 * quantile(v)) for v in (0.9, 0.2))
    shift = np.eye(3)
    shift[:2, 2] = [16 / 8 * quantile(v) for v in (0.7, 0.4)]
    matrix = (
        np.diag([1 / scale, 1 / scale, 1])
        @ turn(0.6)
        @ np.diag([1 / stretch, stretch, 1])
        @ turn(0.3)
        @ shift
    )
    np.testing.assert_allclose(result, bilinear(images[0], matrix), atol=1e-9)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_color_map(channels):
    """Brightness, contrast, luma flip, hue, saturation, one after the other."""
    images = pictures(1, channels=channels, dtype="float64")
    columns = {18: 0, 19: 0.8, 20: 0, 21: 0.3, 22: 0, 23: 0.2, 24: 0, 25: 0.7}
    columns |= {26: 0, 27: 0.9}
    u = np.full((1, WIDTH), 0.99)
    u[0, list(columns)] = list(columns.values())
    result = transformed(images, tf.constant(u))[0]
    color = images[0, ..., :3]
    grey = np.repeat(color, 3, axis=2) if channels == 1 else color
    x = grey + 0.2 * quantile(0.8)
    x = x * 2 ** (0.5 * quantile(0.3))
    x = x - 2 * x.mean(axis=2, keepdims=True)
    axis, angle = np.ones(3) / np.sqrt(3), 2 * np.pi * 0.7 - np.pi
    along = (x @ axis)[..., None] * axis  # Rodrigues' formula
    x = (
        x * np.cos(angle)
        + np.cross(axis, x) * np.sin(angle)
        + along * (1 - np.cos(angle))
    )
    mean = x.mean(axis=2, keepdims=True)
    x = mean + (x - mean) * 2 ** quantile(0.9)
    expected = x.mean(axis=2, keepdims=True) if channels == 1 else x
    np.testing.assert_allclose(result[..., : color.shape[2]], expected, atol=1e-9)
    np.testing.assert_array_equal(result[..., 3:], images[0, ..., 3:])


def test_outliers_are_finite():
    images = pictures(2, 32)
    u = np.full((2, WIDTH), 2.0**-24, "float32")
    u[1] = 1 - 2.0**-24
    u[1, [0, 2, 4, 7, 9, 11, 13, 15, 18, 20, 22, 24, 26]] = 0
    assert np.isfinite(transformed(images, tf.constant(u), 0.8)).all()
