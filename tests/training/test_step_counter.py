"""The step of a model: whatever its optimizers do, and however it was stored."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import SAGAN, callbacks, sampling
from keras_sagan.runs import checkpoint_files, checkpoints
from tests import helpers
from tests.training import equivalence


def new_gan(**arguments):
    gan = helpers.tiny_gan(attention=False)
    gan.compile(**helpers.sgd_pair(), **arguments)
    return gan


def train(gan, steps, used=()):
    images, labels = helpers.images_and_labels(4)
    data = tf.data.Dataset.from_tensors((images, labels)).repeat()
    gan.fit(data, steps_per_epoch=steps, verbose=0, callbacks=list(used))


@pytest.fixture
def drawn_at(monkeypatch):
    """The steps that latents are drawn for, in eager steps."""
    seen, draw = [], sampling.batch_latents

    def latents(seed, purpose, step, *shape):
        if purpose == sampling.Purpose.GENERATOR_STEP:
            seen.append(int(step))
        return draw(seed, purpose, step, *shape)

    monkeypatch.setattr(sampling, "batch_latents", latents)
    return seen


def test_a_frozen_generator_counts_and_draws_on(drawn_at, tmp_path):
    gan = helpers.tiny_gan(attention=False)
    gan.generator.trainable = False
    gan.compile(**helpers.sgd_pair(), run_eagerly=True)
    saved = checkpoints.Checkpoints(tmp_path / "all", every=2, keep=3)
    for _ in range(2):  # epochs of two steps
        train(gan, 2, [saved])
    assert drawn_at == [0, 1, 2, 3]
    assert int(gan.g_optimizer.iterations) == 0
    assert gan.step == 4
    assert checkpoint_files.steps(tmp_path / "all") == [2, 4]


@pytest.mark.slow
def test_limits_of_a_frozen_generator():
    gan = helpers.tiny_gan(attention=False)
    gan.generator.trainable = False
    gan.compile(**helpers.sgd_pair())
    train(gan, 10, [callbacks.Limits(3)])
    assert gan.step == 3


def test_a_second_compile_goes_on_counting(drawn_at):
    gan = new_gan(run_eagerly=True)
    train(gan, 2)
    gan.compile(**helpers.sgd_pair(), run_eagerly=True)
    assert (gan.step, int(gan.g_optimizer.iterations)) == (2, 0)
    train(gan, 1)
    assert (gan.step, int(gan.g_optimizer.iterations)) == (3, 1)
    assert drawn_at == [0, 1, 2]


@pytest.mark.slow
def test_averaging_that_begins_later_does_not_begin_again_with_a_second_compile():
    gan = new_gan(ema_start=1, ema_decay=0.5)
    train(gan, 2)
    gan.compile(**helpers.sgd_pair(), ema_start=1, ema_decay=0.5)
    train(gan, 1)
    average, weight = gan._averaged.averages[0], gan._averaged.weights[0]
    assert not np.array_equal(np.array(average), np.array(weight))


@pytest.mark.slow
def test_schedules_of_rates_follow_their_optimizer():
    gan = helpers.tiny_gan(attention=False)
    gan.step_counter.count.assign(100)
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1e-3, 1e-4])
    gan.compile(keras.optimizers.SGD(schedule), keras.optimizers.SGD(1e-3))
    rates = []
    for _ in range(3):
        rates.append(float(gan.g_optimizer.learning_rate))
        train(gan, 1)
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 1e-4])
    assert gan.step == 103


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["keras", "preset", "weights", "checkpoint"])
def test_the_step_is_saved_and_training_goes_on_to_the_bit(kind, tmp_path):
    gan = new_gan()
    train(gan, 1)
    gan.compile(**helpers.sgd_pair())
    train(gan, 2)  # step 3, after 2 updates
    if kind == "keras":
        gan.save(tmp_path / "gan.keras")
        other = keras.saving.load_model(tmp_path / "gan.keras")
    elif kind == "preset":
        gan.save_to_preset(tmp_path / "preset")
        other = SAGAN.from_preset(tmp_path / "preset")
    else:
        other = new_gan()
        if kind == "weights":
            gan.save_weights(tmp_path / "gan.weights.h5")
            other.load_weights(tmp_path / "gan.weights.h5")
        else:
            checkpoints.restore(other, checkpoints.snapshot(gan))
    assert other.step == 3
    for each in (gan, other):
        train(each, 1)
    assert other.step == 4
    expected, found = (
        {n: a for n, a in checkpoints.snapshot(x).items() if n.startswith("model")}
        for x in (gan, other)
    )
    assert list(found) == list(expected)
    helpers.assert_equal(found.values(), expected.values())


@pytest.mark.slow
def test_a_model_without_weights_or_optimizers_begins_at_0(tmp_path):
    gan = new_gan()
    train(gan, 1)
    gan.save_to_preset(tmp_path / "preset")
    assert SAGAN.from_preset(tmp_path / "preset", load_weights=False).step == 0
    assert helpers.tiny_gan(attention=False).step == 0


@pytest.mark.slow
@pytest.mark.parametrize("replicas", [2, 4])
def test_replicas_count_together(replicas):
    gan, _ = equivalence.build(equivalence.mirrored(replicas))
    assert gan.step == 0
    gan.fit(equivalence.dataset().take(3), verbose=0)
    assert gan.step == 3
    values = gan.distribute_strategy.experimental_local_results(
        gan.step_counter.count.value
    )
    assert [int(value) for value in values] == [3] * replicas
