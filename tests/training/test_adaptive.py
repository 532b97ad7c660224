"""The probability of ADA: how it moves, and that it is kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.config import AugmentationConfig
from keras_sagan.training import adaptive
from tests import helpers

CONFIG = AugmentationConfig("ada", ada_target=0.5, ada_images=1000)


def run(signs, images=10, config=CONFIG):
    """p after each step."""
    state, probabilities = tf.zeros(2), []
    for step, sign in enumerate(signs):
        state = adaptive.next_state(state, sign, images, step, config)
        probabilities.append(float(state[0]))
    return probabilities


def test_it_moves_every_four_steps_towards_the_target():
    # Four steps of ten images are 40 of 1000.
    probabilities = run([1.0] * 8 + [0.0] * 4)
    assert probabilities == pytest.approx(
        [0, 0, 0, 0.04] + [0.04] * 3 + [0.08] * 4 + [0.04]
    )


def test_the_mean_of_four_steps_decides():
    assert run([1.0, 1.0, 1.0, -0.9])[-1] == pytest.approx(0.04)  # mean 0.525
    assert run([1.0, 1.0, 1.0, -1.0])[-1] == 0  # mean 0.5: at the target
    assert run([1.0] * 4 + [1.0, 1.0, 1.0, -1.2])[-1] == pytest.approx(0)
    # What came before the last change does not count.
    assert run([-1.0] * 4 + [0.6] * 4)[-1] == pytest.approx(0.04)


def test_it_stays_between_0_and_its_most():
    assert run([-1.0] * 8)[-1] == 0
    assert run([1.0] * 8, images=300)[-1] == pytest.approx(adaptive.MAX_PROBABILITY)


def trained(steps, gan=None, ada_images=200):
    config = AugmentationConfig("ada", ada_target=-0.9, ada_images=ada_images)
    if gan is None:
        gan = helpers.tiny_gan(attention=False)
        gan.compile(augmentation=config)
    images, labels = helpers.images_and_labels(8)
    dataset = tf.data.Dataset.from_tensors((images, labels)).repeat()
    history = gan.fit(dataset, steps_per_epoch=steps, verbose=0).history
    return gan, history


def test_training_moves_and_logs_it():
    gan, history = trained(5)
    p = float(gan.augmentation.probability)
    assert p == pytest.approx(4 * 8 / 200)
    assert history["augmentation_probability"] == [p]
    assert float(gan.augmentation.values[1]) != 0  # the fifth step's sign
    assert any(v is gan.augmentation.values for v in gan.variables)


def test_without_the_policy_it_stays_and_is_not_logged():
    gan = helpers.tiny_gan(attention=False)
    gan.compile(augmentation="diffaugment")
    _, history = trained(4, gan)
    assert "augmentation_probability" not in history
    np.testing.assert_array_equal(gan.augmentation.values, [0, 0])


def test_it_is_saved(tmp_path):
    gan, _ = trained(5)
    gan.save(tmp_path / "gan.keras")
    gan.save_to_preset(tmp_path / "preset")
    loaded = [
        keras.saving.load_model(tmp_path / "gan.keras"),
        type(gan).from_preset(tmp_path / "preset"),
    ]
    for other in loaded:
        np.testing.assert_array_equal(
            other.augmentation.values, gan.augmentation.values
        )
        assert other._settings.augmentation == gan._settings.augmentation
    # And they go on alike.
    trained(3, gan)
    for other in loaded:
        trained(3, other)
        np.testing.assert_array_equal(
            other.augmentation.values, gan.augmentation.values
        )
        helpers.assert_equal(other.discriminator.weights, gan.discriminator.weights)
