"""Random draws: what they depend on, and their distributions."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.sampling import Purpose

STEP = Purpose.GENERATOR_STEP


def latents(seed=0, purpose=STEP, step=0, count=64, latent_dim=8, **kwargs):
    return np.array(
        sampling.batch_latents(seed, purpose, step, count, latent_dim, **kwargs)
    )


def labels(seed=0, purpose=STEP, step=0, count=64, num_classes=5):
    return np.array(sampling.batch_labels(seed, purpose, step, count, num_classes))


def rows(seeds, latent_dim=8, truncation=0.0):
    truncation = np.broadcast_to(np.float32(truncation), len(seeds))
    draw = tf.function(sampling.row_latents)  # row by row is slow when eager
    seeds = tf.constant(seeds, tf.int64)
    return np.array(draw(seeds, latent_dim, tf.constant(truncation)))


# === Batches ===
@pytest.mark.parametrize("count", [1, 2, 3, 7, 63, 64, 65, 200])
@pytest.mark.parametrize("latent_dim", [1, 3, 8, 128])
def test_row_i_of_the_latents_is_the_same_for_every_count(count, latent_dim):
    whole = latents(count=256, latent_dim=latent_dim)
    np.testing.assert_array_equal(
        latents(count=count, latent_dim=latent_dim), whole[:count]
    )


@pytest.mark.parametrize("count", [1, 2, 3, 7, 63, 64, 65, 200])
@pytest.mark.parametrize("num_classes", [2, 5, 1000])
def test_label_i_is_the_same_for_every_count(count, num_classes):
    whole = labels(count=256, num_classes=num_classes)
    np.testing.assert_array_equal(
        labels(count=count, num_classes=num_classes), whole[:count]
    )


def test_draws_are_the_same_in_a_compiled_graph_with_an_unknown_count():
    @tf.function
    def draw(step, count):
        return (
            sampling.batch_latents(7, STEP, step, count, 8),
            sampling.batch_labels(7, STEP, step, count, 5),
        )

    z, y = draw(tf.constant(3, tf.int64), tf.constant(20))
    np.testing.assert_array_equal(z, latents(7, step=3, count=20))
    np.testing.assert_array_equal(y, labels(7, step=3, count=20))


def test_xla_draws_the_same():
    @tf.function(jit_compile=True)
    def draw(step, seeds, truncation):
        return (
            sampling.batch_latents(7, STEP, step, 20, 8),
            sampling.batch_labels(7, STEP, step, 20, 5),
            sampling.row_latents(seeds, 8, truncation),
        )

    seeds, truncation = tf.range(4, dtype=tf.int64), tf.constant([0.0, 0.5, 1.0, 9.0])
    z, y, z_rows = draw(tf.constant(3, tf.int64), seeds, truncation)
    np.testing.assert_allclose(z, latents(7, step=3, count=20), rtol=1e-6)
    np.testing.assert_array_equal(y, labels(7, step=3, count=20))
    expected = rows(range(4), truncation=truncation)
    np.testing.assert_allclose(z_rows, expected, rtol=1e-6)


@pytest.mark.parametrize("draw", [latents, labels])
def test_every_seed_purpose_and_step_has_its_own_draw(draw):
    keys = [(seed, purpose, step) for seed in range(6) for purpose in Purpose
            for step in (0, 1, 2, 10**6)]  # fmt: skip
    drawn = {draw(*key, count=32).tobytes() for key in keys}
    assert len(drawn) == len(keys)


@pytest.mark.parametrize("purpose", Purpose)
def test_purposes_are_independent(purpose):
    """The correlation of 20000 pairs is about 0.007 if they are."""
    mine = latents(purpose=purpose, count=2500).ravel()
    others = [latents(purpose=p, count=2500) for p in Purpose if p is not purpose]
    others += [latents(purpose=purpose, step=1, count=2500)]
    others += [latents(seed=1, purpose=purpose, count=2500)]
    for other in others:
        assert abs(np.corrcoef(mine, other.ravel())[0, 1]) < 0.03


@pytest.mark.parametrize("purpose", Purpose)
def test_labels_do_not_depend_on_latents(purpose):
    """With as many classes as there are numbers, a common stream would show."""
    y = labels(purpose=purpose, count=20_000, num_classes=2**31 - 1)
    for other in Purpose:
        z = latents(purpose=other, count=20_000, latent_dim=1)[:, 0]
        assert abs(np.corrcoef(y, z)[0, 1]) < 0.03


def test_latents_are_standard_normal():
    z = latents(count=5000, latent_dim=8).astype("float64").ravel()
    deviation = 1 / math.sqrt(z.size)
    assert abs(z.mean()) < 4 * deviation
    assert abs(z.var() - 1) < 4 * math.sqrt(2) * deviation
    assert abs((z**4).mean() - 3) < 4 * math.sqrt(96) * deviation
    assert kolmogorov_smirnov(z, normal_cdf) < 1.63 * deviation  # 1 % level


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_latents_in_another_dtype(dtype):
    assert latents(dtype=dtype).dtype == dtype


@pytest.mark.parametrize(("num_classes", "limit"), [(2, 10.83), (5, 18.47)])
def test_labels_are_uniform(num_classes, limit):
    """Chi-square at the 0.1 % level, and nothing outside the classes."""
    drawn = labels(count=10_000, num_classes=num_classes)
    assert drawn.dtype == "int32"
    counts = np.bincount(drawn, minlength=num_classes)
    assert counts.shape == (num_classes,)
    expected = 10_000 / num_classes
    assert np.sum((counts - expected) ** 2 / expected) < limit


def test_labels_follow_weights():
    weights = [1.0, 0.0, 4.0, 3.0]
    drawn = np.array(sampling.batch_labels(3, STEP, 0, 20_000, 4, weights))
    assert drawn.dtype == np.int32
    shares = np.bincount(drawn, minlength=4) / 20_000
    np.testing.assert_allclose(shares, np.array(weights) / 8, atol=0.015)
    assert shares[1] == 0
    some = sampling.batch_labels(3, STEP, 0, 7, 4, weights)
    np.testing.assert_array_equal(some, drawn[:7])
    only = sampling.batch_labels(3, STEP, 0, 1000, 3, (0, 0, 5))
    assert set(np.array(only)) == {2}
    with pytest.raises(ValueError, match=r"must be 4 numbers.*Received: 3"):
        sampling.batch_labels(3, STEP, 0, 7, 4, (1, 2, 3))


def uniform(seed=0, purpose=STEP, draw=0, step=0, count=64, width=5):
    return np.array(sampling.batch_uniform(seed, purpose, draw, step, count, width))


def test_uniform_numbers_are_uniform_and_inside():
    u = uniform(count=4000).ravel()
    assert u.dtype == np.float32
    assert 0 < u.min() < 1e-3 and 1 - 1e-3 < u.max() < 1
    assert kolmogorov_smirnov(u.astype(float), lambda x: x) < 1.63 / math.sqrt(u.size)
    # Odd multiples of 2^-24: never 0 or 1, whose normal quantile is infinite.
    multiples = u.astype(np.float64) * 2.0**24
    assert (multiples % 2 == 1).all()


def test_uniform_numbers_depend_on_seed_purpose_draw_step_and_row_alone():
    u = uniform()
    np.testing.assert_array_equal(uniform(count=9), u[:9])
    others = [{"seed": 1}, {"purpose": Purpose.EVALUATION}, {"draw": 1}, {"step": 1}]
    for other in others:
        assert not np.isin(uniform(**other), u).any()


# === Rows ===
def test_a_row_depends_on_its_own_seed_and_truncation_only():
    seeds = [5, 9, -3, 2**40, 5]
    truncation = [0.0, 0.5, 0.0, 0.5, 0.0]
    together = rows(seeds, truncation=truncation)
    for i, (seed, limit) in enumerate(zip(seeds, truncation, strict=True)):
        np.testing.assert_array_equal(rows([seed], truncation=[limit])[0], together[i])
    np.testing.assert_array_equal(together[0], together[4])
    assert len({row.tobytes() for row in together}) == 4


def test_rows_are_standard_normal_and_independent():
    z = rows(range(300), latent_dim=80)
    deviation = 1 / math.sqrt(z.size)
    assert kolmogorov_smirnov(z.ravel(), normal_cdf) < 1.63 * deviation
    neighbours = np.corrcoef(z[:-1].ravel(), z[1:].ravel())[0, 1]
    assert abs(neighbours) < 4 * deviation
    assert np.abs(np.corrcoef(z.T) - np.eye(80)).max() < 0.3


@pytest.mark.parametrize("limit", [0.04, 0.5, 1.0, 2.0])
def test_truncated_latents_are_a_truncated_normal(limit):
    z = rows(range(60), latent_dim=400, truncation=limit).astype("float64").ravel()
    assert np.abs(z).max() <= limit
    assert np.abs(z).max() > 0.99 * limit

    below = normal_cdf(-limit)

    def cdf(x):
        return (normal_cdf(x) - below) / (1 - 2 * below)

    deviation = 1 / math.sqrt(z.size)
    assert kolmogorov_smirnov(z, cdf) < 1.63 * deviation
    density = math.exp(-(limit**2) / 2) / math.sqrt(2 * math.pi)
    variance = 1 - 2 * limit * density / (1 - 2 * below)
    assert abs(z.mean()) < 4 * math.sqrt(variance) * deviation
    assert z.var() == pytest.approx(variance, rel=0.05)


def test_truncated_rows_are_finite_at_the_edges():
    z = rows(range(20), truncation=[10.0**i for i in range(-10, 10)])
    assert np.isfinite(z).all()


def normal_cdf(x):
    return 0.5 * (1 + np.vectorize(math.erf)(np.asarray(x) / math.sqrt(2)))


def kolmogorov_smirnov(sample, cdf):
    """Largest distance between the sample's distribution function and `cdf`."""
    sample = np.sort(sample)
    ranks = np.arange(sample.size + 1) / sample.size
    values = cdf(sample)
    return max(np.abs(values - ranks[:-1]).max(), np.abs(values - ranks[1:]).max())


@pytest.mark.parametrize(
    "truncation", [0, -1.0, 1e-46, 1e39, np.nan, np.inf, "1", True]
)
def test_truncations_that_are_none_or_all_in_32_bits(truncation):
    with pytest.raises(ValueError, match="`truncation` must be a finite number > 0 of"):
        sampling.resolve_truncation(truncation, 2)
