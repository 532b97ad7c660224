import numpy as np
import pytest

from keras_sagan.visualize import interpolation


def test_the_arc_between_unit_vectors():
    [start, quarter, middle, end] = interpolation.spherical(
        [1.0, 0.0], [0.0, 1.0], [0, 0.25, 0.5, 1]
    )
    np.testing.assert_allclose(start, [1, 0], atol=1e-7)
    np.testing.assert_allclose(end, [0, 1], atol=1e-7)
    np.testing.assert_allclose(middle, [0.5**0.5] * 2, rtol=1e-6)
    angle = np.pi / 8
    np.testing.assert_allclose(quarter, [np.cos(angle), np.sin(angle)], rtol=1e-6)


def test_lengths_are_interpolated_where_a_line_would_be_short():
    generator = np.random.default_rng(0)
    first, last = generator.normal(size=(2, 128)) * [[1.0], [1.5]]
    shares = np.linspace(0, 1, 9)
    points = interpolation.spherical(first, last, shares)
    assert points.dtype == np.float32 and points.shape == (9, 128)
    lengths = np.linalg.norm(points, axis=1)
    ends = np.linalg.norm([first, last], axis=1)
    np.testing.assert_allclose(
        lengths, ends[0] + shares * (ends[1] - ends[0]), rtol=1e-5
    )
    assert np.linalg.norm((first + last) / 2) < 0.85 * lengths[4]


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0])
def test_no_arc(factor):
    start = np.array([1.0, 2.0])
    points = interpolation.spherical(start, factor * start, [0, 0.5, 1])
    np.testing.assert_allclose(points[0], start)
    np.testing.assert_allclose(points[2], factor * start)
    np.testing.assert_allclose(points[1], (1 + factor) / 2 * start)


def test_frames_along_stops():
    assert interpolation.along(2, 1) == [(0, 0.0), (0, 1.0)]
    assert interpolation.along(3, 2) == [(0, 0), (0, 0.5), (1, 0), (1, 0.5), (1, 1)]
