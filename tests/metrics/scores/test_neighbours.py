"""Exact neighbours from float32 products: against float64 differences."""

import numpy as np
import pytest

from keras_sagan.metrics.scores import neighbours


def brute(a, b):
    return ((a[:, None].astype("f8") - b[None].astype("f8")) ** 2).sum(-1)


def hard(count, seed, dimensions=5):
    """Points far from the origin whose distances float32 products cannot order."""
    generator = np.random.default_rng(seed)
    x = 1000 + generator.normal(size=(count, dimensions))
    x[count // 2 :] = (
        x[: count - count // 2]
        + generator.normal(size=(count - count // 2, dimensions)) * 1e-3
    )
    return x.astype(np.float32)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(neighbours, "_BLOCK", 700)
    monkeypatch.setattr(neighbours, "_PAIRS", 64)


@pytest.mark.parametrize("k", [1, 5])
def test_radii(k):
    x = hard(101, 0)
    (cloud,) = neighbours.clouds(x)
    expected = np.sort(brute(x, x), axis=1)[:, k]
    np.testing.assert_allclose(neighbours.squared_radii(cloud, k), expected, rtol=1e-12)


def test_nearest():
    a, b = hard(64, 1), hard(90, 1)
    index, distance = neighbours.nearest(*neighbours.clouds(a, b))
    expected = brute(a, b)
    np.testing.assert_array_equal(index, expected.argmin(1))
    np.testing.assert_allclose(distance, np.sqrt(expected.min(1)), rtol=1e-12)
    index, distance = neighbours.nearest(*neighbours.clouds(b, b))
    np.testing.assert_array_equal(index, np.arange(90))
    np.testing.assert_array_equal(distance, 0)


def test_the_bound_holds():
    generator = np.random.default_rng(0)
    for dimensions in (3, 300):
        a = generator.normal(5, 1, (40, dimensions)).astype("f4")
        b = generator.normal(5, 1, (50, dimensions)).astype("f4")
        for origin in (a.mean(0), np.zeros(dimensions)):
            ca, cb = (neighbours.Cloud(x, origin) for x in (a, b))
            found, bound = neighbours.squared_distances(ca, cb, slice(3, 30))
            error = np.abs(found - brute(a, b)[3:30])
            assert (error <= bound).all()


def test_blocks_are_bounded():
    (cloud,) = neighbours.clouds(hard(101, 0))
    blocks = cloud.row_blocks(50)
    assert {block.stop - block.start for block in blocks[:-1]} == {14}
    assert np.concatenate([np.arange(101)[b] for b in blocks]).tolist() == [*range(101)]
