"""The gap between train and test: nothing for an honest set, large for copies."""

import numpy as np
import pytest

from keras_sagan.metrics import frechet_distance, frechet_gap
from tests.metrics.conftest import correlated


@pytest.fixture(scope="module")
def sets():
    """Training, held-out and fresh images of one distribution."""
    x = correlated(np.random.default_rng(3), 900, 12)
    return x[:400], x[400:600], x[600:]


def test_copies_are_nearer_to_training(sets):
    training, held_out, fresh = sets
    honest = frechet_gap(fresh, training, held_out)
    copies = frechet_gap(training + np.float32(1e-3), training, held_out)
    assert copies.gap > 3 * abs(honest.gap)
    assert copies.share > 0.5 > abs(honest.share)


def test_equal_to_the_two_distances(sets):
    training, held_out, fresh = sets
    found = frechet_gap(fresh, training[:200], held_out)
    near = frechet_distance(training[:200], fresh)
    far = frechet_distance(held_out, fresh)
    assert found.gap == pytest.approx(far - near, rel=1e-9)
    assert found.share == pytest.approx((far - near) / far, rel=1e-9)


def test_about_nothing_on_average():
    """Equally many of both: 200 of 400 training images, so that biases cancel."""
    gaps = []
    for seed in range(30):
        x = correlated(np.random.default_rng(9), 1, 6)  # its mixing is every seed's
        x = np.random.default_rng(seed).normal(size=(500, 6)) + x
        gaps.append(frechet_gap(x[:100], x[100:400], x[400:], seed=seed).gap)
    assert abs(np.mean(gaps)) < 3 * np.std(gaps) / np.sqrt(len(gaps))


def test_too_few_images(sets):
    training, held_out, fresh = sets
    with pytest.raises(ValueError, match="`real` must have more images than the 12"):
        frechet_gap(fresh, training, held_out[:10])
    assert np.isfinite(frechet_gap(fresh, training, held_out[:10], allow_few=True).gap)
