import numpy as np
import pytest

from keras_sagan.visualize import positions


def one_hot(targets, keys):
    """A map in which query `i` looks at `targets[i]` alone."""
    return np.eye(keys)[np.asarray(targets)]


@pytest.mark.parametrize("image_size", [32, 64, 128, 256])
@pytest.mark.parametrize("side", [4, 8, 16, 32])
def test_every_pixel_finds_the_query_of_its_cell(image_size, side):
    """A crafted map: query `i` has its own number for a weight."""
    block = image_size // side
    drawn = np.arange(side * side).reshape(side, side)
    drawn = np.kron(drawn, np.ones((block, block), int))  # what a person sees
    for y in range(0, image_size, 3):
        for x in range(0, image_size, 3):
            assert positions.query_index(x, y, image_size, side) == drawn[y, x]


@pytest.mark.parametrize("point", [(-1, 0), (0, -1), (32, 0), (0, 32)])
def test_points_outside(point):
    with pytest.raises(ValueError, match=r"from 0,0 to 31,31. Received: "):
        positions.query_index(*point, 32, 16)


def test_corners():
    assert positions.query_index(31, 31, 32, 16) == 255
    assert positions.query_index(31, 0, 32, 16) == 15
    assert positions.query_index(0, 31, 32, 16) == 240


def test_weights_over_pixels():
    weights = np.random.default_rng(0).random(64)
    spread = positions.spread_over_pixels(weights, 32)
    assert spread.shape == (32, 32)
    for y in range(32):
        for x in range(32):
            assert spread[y, x] == weights[8 * (y // 4) + x // 4]


def test_a_grid_must_be_square():
    assert positions.grid_side(256) == 16
    for count in (0, 8, 255):
        with pytest.raises(ValueError, match=f"Received: {count} positions"):
            positions.grid_side(count)


def test_distances_between_grids_of_different_sides():
    found = positions.distances(4, 2)
    assert found.shape == (16, 4)
    # Upper left cell of the fine grid to the coarse one's: (1/8, 1/8), (1/4, 1/4).
    assert found[0, 0] == pytest.approx(np.hypot(1 / 8, 1 / 8))
    assert found[0, 3] == pytest.approx(np.hypot(5 / 8, 5 / 8))
    assert found[3, 0] == pytest.approx(np.hypot(5 / 8, 1 / 8))


def test_non_locality():
    uniform = np.full((64, 64), 1 / 64)
    np.testing.assert_allclose(positions.non_locality(uniform), 0, atol=1e-12)
    itself = positions.non_locality(np.eye(64))
    opposite = positions.non_locality(one_hot(np.arange(64)[::-1], 64))
    assert (itself < -0.3).all()
    corner, middle = 0, 27
    assert opposite[corner] > 0.4
    assert opposite[middle] < 0


def test_points_with_the_most_non_local_maps():
    """All queries look around themselves, but for three in a crafted map."""
    targets = np.arange(64)
    targets[8 * 1 + 1] = 8 * 7 + 7  # far
    targets[8 * 1 + 2] = 8 * 7 + 7  # beside it
    targets[8 * 6 + 7] = 8 * 0 + 0
    points = positions.most_non_local_points(one_hot(targets, 64), 2, 32)
    assert sorted(points) == [(6, 6), (30, 26)]
    found = [positions.query_index(x, y, 32, 8) for x, y in points]
    assert sorted(found) == [9, 55]


def test_points_are_apart_and_no_more_than_fit():
    points = positions.most_non_local_points(np.full((16, 16), 1 / 16), 100, 32)
    for i, a in enumerate(points):
        for b in points[:i]:
            assert np.hypot(a[0] - b[0], a[1] - b[1]) >= 8
    assert len(points) == 16  # cells of a 4 x 4 grid are a quarter apart
