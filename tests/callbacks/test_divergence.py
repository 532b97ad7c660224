import types
import warnings

import keras
import numpy as np
import pytest

from keras_sagan import callbacks
from keras_sagan.callbacks import divergence
from tests import helpers
from tests.callbacks.attaching import attach


@pytest.fixture(scope="module")
def gan():
    gan = helpers.tiny_gan(attention=False)
    gan.compile()
    gan.step_counter.count.assign(500)
    return gan


def warnings_of(gan, logs=None, times=1, samples=None, loss="hinge", real=40.0):
    samples = samples or types.SimpleNamespace(images=None, labels=None, path=None)
    looked = divergence.CollapseWarnings(samples, real, loss)
    looked.set_model(gan)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(times):
            looked.on_epoch_end(0, logs)
    return [str(w.message) for w in caught if w.category is RuntimeWarning]


def test_the_first_bad_array_is_named():
    arrays = {"a": np.ones(3, np.float32), "b": np.array([0, np.nan]), "c": np.int64(1)}
    with pytest.raises(divergence.DivergenceError, match="at step 7 the variable 'b'"):
        divergence.check_arrays(arrays, 7)
    divergence.check_arrays({"a": arrays["a"], "c": arrays["c"]}, 7)


def test_diversity_by_hand():
    images = np.zeros((4, 2, 2, 1), np.uint8)
    images[1] = 10  # class 0: standard deviation 5
    images[3] = 30  # class 1: 15
    assert divergence.diversity(images, [0, 0, 1, 1]) == 10.0
    assert divergence.diversity(images[:2]) == 5.0
    assert divergence.diversity(images[:2], [0, 1]) == 0.0  # no class has two


def test_a_discriminator_that_has_won(gan):
    assert warnings_of(gan, {"d_loss": 0.01}, divergence.INTERVALS - 1) == []
    [message] = warnings_of(gan, {"d_loss": 0.01}, 3 * divergence.INTERVALS)
    assert "Step 500: the discriminator has won" in message
    assert warnings_of(gan, {"d_loss": 0.5}, 9) == []
    assert warnings_of(gan, {"d_loss": -9.0}, 9, loss="wasserstein") == []


def test_samples_that_collapsed(gan):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (8, 4, 4, 3)).astype(np.uint8)
    labels = [0, 0, 1, 1] * 2

    def samples(images):
        return types.SimpleNamespace(images=images, labels=labels, path="x/500.png")

    assert warnings_of(gan, samples=samples(noise)) == []
    same = np.repeat(noise[:1], 8, axis=0)
    [message] = warnings_of(gan, times=3, samples=samples(same))
    assert "differ by 0.0 grey levels, real ones by 40.0. Look at x/500.png" in message


def test_a_run_that_collapses_is_warned_of(gan, tmp_path):
    """Forced: a generator that ignores its input."""
    for weight in gan.ema_generator.weights:
        if weight.name in ("gamma", "beta"):
            weight.assign(weight * 0)
    grid = callbacks.SampleGrid(tmp_path / "{step}.png", 1, [0, 0, 1], [1, 2, 3], 3)
    grid.set_model(gan)
    grid.write()
    [message] = warnings_of(gan, samples=grid)
    assert "the samples have collapsed" in message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_raises_with_the_step(gan, value):
    guard = attach(callbacks.StopOnNonFinite(), gan, step=200)
    guard.on_epoch_end(0, {"d_loss": 1.0})
    logs = {"d_loss": 1.0, "g_loss": keras.ops.convert_to_tensor(value)}
    with pytest.raises(callbacks.DivergenceError, match=r"step 200: \{'g_loss'"):
        guard.on_epoch_end(0, logs)
