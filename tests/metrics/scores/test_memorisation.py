"""The memorisation check: silent on fresh images, loud on copies."""

import numpy as np
import pytest

from keras_sagan.metrics import memorization_check


def sets():
    generator = np.random.default_rng(0)
    return [generator.normal(size=(n, 8)) for n in (600, 300, 400)]


def test_fresh_images():
    training, held_out, fake = sets()
    found = memorization_check(fake, training, held_out)
    assert abs(found.score) < 3
    assert found.share == pytest.approx(0.5, abs=0.08)
    assert found.distance_ratio == pytest.approx(1, abs=0.1)
    assert found.copies == 0


def test_copies_and_near_copies():
    training, held_out, fake = sets()
    fake[:100] = training[100:200]
    fake[100:200] = training[300:400] + 0.01
    found = memorization_check(fake, training, held_out)
    assert found.score > 4.5
    assert found.copies == 100
    assert found.nearest[:100].tolist() == [*range(100, 200)]
    np.testing.assert_allclose(found.distances[100:200], 0.01 * np.sqrt(8), rtol=1e-6)
    copied_from_elsewhere = memorization_check(fake, held_out, training)
    assert copied_from_elsewhere.score < -3


def test_unequal_sets_have_no_part_in_it():
    """600 against 300 images: the nearest is no more likely to be a training image."""
    generator = np.random.default_rng(1)
    training = generator.normal(size=(2000, 4))
    held_out = generator.normal(size=(200, 4))
    found = memorization_check(generator.normal(size=(500, 4)), training, held_out)
    assert abs(found.score) < 3


def test_wrong_input():
    training, held_out, fake = sets()
    with pytest.raises(ValueError, match="8 and 5 dimensions"):
        memorization_check(fake[:, :5], training, held_out)
