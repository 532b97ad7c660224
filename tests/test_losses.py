"""Losses against NumPy, their gradients' direction and dtypes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import losses
from keras_sagan.config import training as config
from tests import helpers

REAL = np.array([[-2.0], [-0.3], [0.4], [1.0], [3.0]])
FAKE = np.array([[-3.0], [-1.0], [0.2], [0.7], [2.0]])


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


EXPECTED = {
    "hinge": (
        np.mean([max(0, 1 - x) for x in REAL[:, 0]])
        + np.mean([max(0, 1 + x) for x in FAKE[:, 0]]),
        -np.mean(FAKE),
    ),
    "non_saturating": (
        -np.mean(log_sigmoid(REAL)) - np.mean(log_sigmoid(-FAKE)),
        -np.mean(log_sigmoid(FAKE)),
    ),
    "least_squares": (
        np.mean((REAL - 1) ** 2) / 2 + np.mean(FAKE**2) / 2,
        np.mean((FAKE - 1) ** 2) / 2,
    ),
    "wasserstein": (np.mean(FAKE) - np.mean(REAL), -np.mean(FAKE)),
    "relativistic": (
        -np.mean(log_sigmoid(REAL - FAKE)),
        -np.mean(log_sigmoid(FAKE - REAL)),
    ),
}


@pytest.mark.parametrize("name", losses.LOSSES)
def test_values(name):
    loss, expected = losses.get(name), EXPECTED[name]
    real, fake = tf.constant(REAL), tf.constant(FAKE)
    assert float(loss.discriminator(real, fake)) == pytest.approx(expected[0], 1e-12)
    assert float(loss.generator_loss(real, fake)) == pytest.approx(expected[1], 1e-12)


def test_only_the_relativistic_loss_pairs_images():
    assert [name for name in losses.LOSSES if losses.get(name).paired] == [
        "relativistic"
    ]
    real, fake = tf.constant(REAL), tf.constant(FAKE)
    for name, loss in losses.LOSSES.items():
        alone = loss.discriminator(real, fake)
        moved = loss.discriminator(real + 0.7, fake + 0.7)
        shuffled = loss.discriminator(real[::-1], fake)
        paired = name == "relativistic"
        assert bool(abs(alone - moved) < 1e-12) == (paired or name == "wasserstein")
        assert bool(abs(alone - shuffled) > 1e-3) == paired


def test_every_loss_is_a_setting_and_the_other_way_round():
    assert list(losses.LOSSES) == config.LOSSES
    assert set(EXPECTED) == set(config.LOSSES)


@pytest.mark.parametrize("name", losses.LOSSES)
@pytest.mark.parametrize(
    ("dtype", "result"),
    [("bfloat16", "float32"), ("float32", "float32"), ("float64", "float64")],
)
def test_results_are_float32_or_wider_scalars(name, dtype, result):
    loss = losses.get(name)
    real, fake = tf.cast(REAL, dtype), tf.cast(FAKE, dtype)
    for value in (loss.discriminator(real, fake), loss.generator_loss(real, fake)):
        assert keras.backend.standardize_dtype(value.dtype) == result
        assert value.shape == ()


@pytest.mark.parametrize("name", losses.LOSSES)
def test_gradients_push_the_right_way(name):
    """D wants real up and fake down, at a point where no loss is flat; G fake up."""
    loss = losses.get(name)
    real, fake = tf.constant([[0.3]]), tf.constant([[0.4]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        d_loss = loss.discriminator(real, fake)
        g_loss = loss.generator_loss(real, fake)
    d_real, d_fake = tape.gradient(d_loss, [real, fake])
    assert d_real < 0 < d_fake
    assert tape.gradient(g_loss, fake) < 0


def test_large_logits_stay_finite():
    for loss in losses.LOSSES.values():
        for value in (-1e4, 1e4):
            logits = tf.constant([[value]])
            assert np.isfinite(loss.discriminator(logits, -logits))
            assert np.isfinite(loss.generator_loss(-logits, logits))


def test_an_unknown_loss_lists_those_that_exist():
    with pytest.raises(ValueError, match=r"hinge, .*relativistic\. .*loss='bce'"):
        losses.get("bce")


def test_a_loss_of_ones_own():
    own = losses.Loss(lambda real, fake: keras.ops.mean(fake - real), keras.ops.mean)
    with pytest.raises(ValueError, match=r"`loss` .*one of 'hinge', .*'own'"):
        config.StepConfig(loss="own")
    with helpers.registered_losses_forgotten():
        losses.register("own", own)
        losses.register("own", own)  # a module that is imported twice
        assert losses.get("own") is own and config.LOSSES.count("own") == 1
        assert config.StepConfig(loss="own").loss == "own"
    assert "own" not in losses.LOSSES and "own" not in config.LOSSES
    with pytest.raises(ValueError, match="`name` must be none of hinge"):
        losses.register("hinge", own)
    with pytest.raises(ValueError, match=r"`loss` must be a `losses\.Loss`"):
        losses.register("other", keras.ops.mean)
