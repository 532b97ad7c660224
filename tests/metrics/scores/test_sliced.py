"""MIND: the paper's formula in loops, and what is known of it exactly."""

import numpy as np
import pytest

from keras_sagan.metrics import monge_distance
from keras_sagan.metrics.scores.bootstrap import half_masks
from keras_sagan.metrics.scores.sliced import monge_distances


def by_the_formula(real, fake, directions):
    """alpha / (n M) times the sum over directions and ranks, alpha = 3 d."""
    total, (n, d) = 0.0, real.shape
    for u in directions:
        for x, y in zip(sorted(real @ u), sorted(fake @ u), strict=True):
            total += (x - y) ** 2
    return 3 * d * total / (n * len(directions))


@pytest.fixture(scope="module")
def directions():
    u = np.random.default_rng(5).normal(size=(40, 48))
    return u / np.linalg.norm(u, axis=1, keepdims=True)


def test_equal_to_the_formula(feature_sets, directions):
    real, fake = (x[:400].astype("f8") for x in feature_sets)
    ours = monge_distance(real, fake, directions=directions)
    assert ours == pytest.approx(by_the_formula(real, fake, directions), rel=1e-12)
    single = [x.astype("f4") for x in (real, fake)]
    assert monge_distance(*single, directions=directions) == pytest.approx(ours, 1e-4)


def test_a_shift_is_known_exactly(feature_sets):
    """Along u a shift s moves every point by u.s; the mean of squares is |s|^2 / d."""
    x = feature_sets[0].astype("f8")
    shift = np.linspace(-1, 2, 48)
    ours = monge_distance(x, x + shift, projections=20000)
    assert ours == pytest.approx(3 * (shift**2).sum(), rel=0.03)
    assert monge_distance(x, x) == 0


def test_more_images_of_one_set(feature_sets):
    real, fake = feature_sets
    ours = monge_distance(real, fake, projections=50)
    assert ours == monge_distance(real, fake, projections=50)
    assert ours != monge_distance(real, fake, projections=50, seed=1)
    few = monge_distance(real[:500], fake, projections=50)
    assert ours == pytest.approx(few, rel=0.2)  # 500 of the 600 are taken


def test_halves_are_those_of_the_masks(feature_sets, directions):
    real, fake = (x[:101].astype("f8") for x in feature_sets)
    ours = monge_distances(real, fake, directions=directions, halves=3, seed=7)
    a, b = half_masks(101, 3, 7), half_masks(101, 3, 8)
    assert a.sum(axis=1).tolist() == [50] * 3 and (a != b).any()
    for i in range(3):
        expected = by_the_formula(real[a[i]], fake[b[i]], directions)
        assert ours[i] == pytest.approx(expected, rel=1e-12)


def test_impossible_arguments(feature_sets):
    with pytest.raises(ValueError, match="`projections` must be an integer"):
        monge_distance(*feature_sets, projections=0)
    with pytest.raises(ValueError, match="features of the same extractor"):
        monge_distance(feature_sets[0], feature_sets[1][:, :5])
