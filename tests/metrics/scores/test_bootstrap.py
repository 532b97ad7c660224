"""Bootstrap intervals: coverage, centring, arguments."""

import numpy as np
import pytest

from keras_sagan.metrics import bootstrap_interval, frechet_distance
from keras_sagan.metrics.scores.bootstrap import half_masks, interval, resample_halves


def test_the_interval_of_a_mean_is_the_known_one():
    x = np.random.default_rng(0).normal(5, 2, 4000)
    low, high = bootstrap_interval(np.mean, x, resamples=1000)
    error = x.std() / np.sqrt(len(x))
    assert low == pytest.approx(x.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(x.mean() + 1.96 * error, abs=0.2 * error)
    narrow = bootstrap_interval(np.mean, x, resamples=1000, level=0.5)
    assert narrow[1] - narrow[0] < 0.5 * (high - low)


def test_it_covers_the_value_of_a_biased_score():
    """Plain percentiles of a Frechet distance lie above the distance itself."""
    generator = np.random.default_rng(0)
    real, fake = generator.normal(size=(2, 100, 20))
    value = frechet_distance(real, fake)
    plain = bootstrap_interval(
        frechet_distance, real, fake, resamples=40, centred=False
    )
    centred = bootstrap_interval(frechet_distance, real, fake, resamples=40)
    assert plain[0] > value
    assert centred[0] < value < centred[1]


def test_samples_are_drawn_apart_and_seeded():
    x = np.arange(50.0)
    same = bootstrap_interval(lambda a, b: (a - b).mean(), x, x, resamples=50)
    assert same[0] < 0 < same[1]
    assert same == bootstrap_interval(lambda a, b: (a - b).mean(), x, x, resamples=50)


def test_halves_have_the_spread_of_the_whole():
    """The standard error of a mean of n, and of a median, from halves of n / 2."""
    x = np.random.default_rng(0).normal(5, 2, 500)
    values = resample_halves(np.mean, x, resamples=2000)
    assert values.std() == pytest.approx(x.std() / np.sqrt(500), rel=0.08)
    assert values.mean() == pytest.approx(x.mean(), abs=0.01)
    both = resample_halves(lambda a, b: (a - b).mean(), x, x, resamples=2000)
    assert both.std() == pytest.approx(x.std() * np.sqrt(2 / 500), rel=0.08)


def test_halves_repeat_no_image():
    x = np.arange(31)
    values = resample_halves(lambda a: (len(a), len(set(a))), x, resamples=20)
    assert values.tolist() == [[15, 15]] * 20
    masks = half_masks(31, 200)
    assert 60 < masks.sum(axis=0).min() and masks.sum(axis=0).max() < 140


def test_an_interval_lies_around_what_it_is_told():
    values = np.linspace(0, 1, 101)
    assert interval(values, 0.9) == pytest.approx((0.05, 0.95))
    assert interval(values, 0.9, around=3.0) == pytest.approx((2.55, 3.45))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resamples": 1}, "`resamples`"),
        ({"level": 95}, "`level`.*level=95"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(np.mean, np.ones(5), **options)
    with pytest.raises(ValueError, match="`samples`"):
        bootstrap_interval(np.mean)
