"""The probability of ADA: how it moves, and that it is kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.config.data import AugmentationConfig
from keras_sagan.training.state import MAX_PROBABILITY, AugmentationState, next_state
from keras_sagan.training.steps import StepSettings
from tests import helpers

CONFIG = AugmentationConfig("ada", ada_target=0.5, ada_images=1000)


def run(signs, images=10, config=CONFIG):
    """p after each step."""
    state, probabilities = tf.zeros(2), []
    for step, sign in enumerate(signs):
        state = next_state(state, sign, images, step, config)
        probabilities.append(float(state[0]))
    return probabilities


def test_it_moves_every_four_steps_towards_the_target():
    # Four steps of ten images are 40 of 1000.
    probabilities = run([1.0] * 8 + [0.0] * 5)
    expected = [0] * 4 + [0.04] * 4 + [0.08] * 4 + [0.04]
    assert probabilities == pytest.approx(expected)


def test_the_mean_of_four_steps_decides():
    assert run([1.0, 1.0, 1.0, -0.9, 0])[-1] == pytest.approx(0.04)  # mean 0.525
    assert run([1.0, 1.0, 1.0, -1.0, 0])[-1] == 0  # mean 0.5: at the target
    assert run([1.0] * 7 + [-1.5, 0])[-1] == pytest.approx(0)
    # What came before the last change does not count.
    assert run([-1.0] * 4 + [0.6] * 4 + [0])[-1] == pytest.approx(0.04)


def test_it_stays_between_0_and_its_most():
    assert run([-1.0] * 9)[-1] == 0
    assert run([1.0] * 9, images=300)[-1] == pytest.approx(MAX_PROBABILITY)


@pytest.mark.distributed
def test_replicas_share_the_mean_of_their_signs():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    settings = StepSettings(augmentation=CONFIG)
    with strategy.scope():
        state = AugmentationState()

    @tf.function
    def step(number):
        def update():
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            sign = tf.constant([1.0, 0.5])[replica]
            return state.update(settings, {"d_sign": sign}, 5, number)

        return strategy.run(update)

    for number in range(6):
        step(tf.constant(number))
        for value in strategy.experimental_local_results(state.values.value):
            signs = number % 4 + 1
            expected = [0.04 * (number >= 4), 0.75 * signs]  # 2 * 5 images a step
            np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model after five steps of a D that takes all for real, its files, the logs."""
    gan = helpers.tiny_gan(attention=False)
    config = AugmentationConfig("ada", ada_target=0.5, ada_images=200)
    gan.compile(**helpers.sgd_pair(2.0**-20), augmentation=config)
    for weight in gan.discriminator.weights:
        if weight.path.endswith("bias") and weight.shape == (1,):
            weight.assign([100.0])
    folder = tmp_path_factory.mktemp("ada")
    logs = fit(gan, 5)
    gan.save(folder / "gan.keras")
    return gan, folder, logs


def fit(gan, steps):
    """Trains; returns the logs of the last step."""
    images, labels = helpers.images_and_labels(8)
    dataset = tf.data.Dataset.from_tensors((images, labels)).repeat()
    history = gan.fit(dataset, steps_per_epoch=steps, verbose=0).history
    return {name: values[-1] for name, values in history.items()}


@pytest.mark.slow
def test_training_moves_and_logs_it(trained):
    gan, _, logs = trained
    p = float(gan.augmentation.probability)
    assert p == pytest.approx(4 * 8 / 200)
    assert logs["augmentation_probability"] == pytest.approx(p)
    assert float(gan.augmentation.values[1]) == 1  # the fifth step's sign
    assert any(v is gan.augmentation.values for v in gan.variables)


@pytest.mark.slow
def test_it_is_saved_and_goes_on(trained):
    gan, folder, _ = trained
    other = keras.saving.load_model(folder / "gan.keras")
    np.testing.assert_array_equal(other.augmentation.values, gan.augmentation.values)
    assert other._settings.augmentation == gan._settings.augmentation
    fit(gan, 4)
    fit(other, 4)
    assert float(gan.augmentation.probability) == pytest.approx(2 * 4 * 8 / 200)
    np.testing.assert_array_equal(other.augmentation.values, gan.augmentation.values)
    helpers.assert_equal(
        helpers.values(other.discriminator.weights),
        helpers.values(gan.discriminator.weights),
    )


def test_without_the_policy_it_stays():
    state = AugmentationState()
    for config in (None, AugmentationConfig("diffaugment")):
        settings = StepSettings(augmentation=config)
        assert state.update(settings, {"d_sign": tf.constant(1.0)}, 8, 0) == {}
    np.testing.assert_array_equal(state.values, [0, 0])
