"""A step is the same however many replicas share it: compared with plain SGD.

Adam would hide gradients that are summed instead of averaged (it is nearly free of
scale), and so would a learning rate too small to move the weights.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import helpers

pytestmark = pytest.mark.distributed

STEPS = 3
BATCH = 8
IMAGES, LABELS = helpers.images_and_labels(STEPS * BATCH)
RATE = 2.0**-8


def trained(replicas, dtype=None, labels=LABELS, **arguments):
    """A model after three steps on one or more replicas, its weights, the history."""
    strategy = tf.distribute.get_strategy()
    if replicas > 1:
        devices = [f"CPU:{i}" for i in range(replicas)]
        strategy = tf.distribute.MirroredStrategy(
            devices, cross_device_ops=tf.distribute.ReductionToOneDevice()
        )
    with strategy.scope():
        gan = helpers.tiny_gan(dtype=dtype, synchronized=True, attention=False)
        gan.compile(**helpers.sgd_pair(RATE), seed=3, **arguments)
    before = weights(gan)
    data = tf.data.Dataset.from_tensor_slices((IMAGES[: len(labels)], labels))
    history = gan.fit(data.batch(BATCH, drop_remainder=True), verbose=0).history
    return gan, before, weights(gan), history


def weights(gan):
    """Those of the networks, their spectral norms and batch statistics too."""
    return helpers.values(gan.generator.variables + gan.discriminator.variables)


@pytest.fixture(scope="module")
def alone():
    return trained(1, "float64", discriminator_steps=2, run_eagerly=True)


@pytest.mark.parametrize("replicas", [2, 4])
def test_replicas_train_as_one(alone, replicas):
    reference, before, expected, history = alone
    gan, start, actual, logs = trained(
        replicas, "float64", discriminator_steps=2, run_eagerly=True
    )
    helpers.assert_equal(start, before)
    helpers.assert_same_change(before, actual, expected, tolerance=1e-6)
    averages = helpers.values(gan._averaged.averages)
    for a, b in zip(
        averages, helpers.values(reference._averaged.averages), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    assert set(logs) == set(history)
    for name, values in history.items():
        np.testing.assert_allclose(logs[name], values, rtol=1e-4, err_msg=name)


def test_replicas_train_as_one_in_a_graph_and_float32(tmp_path):
    """As users train; then what one does with a trained model."""
    reference, before, expected, _ = trained(1, run_eagerly=True)
    gan, start, actual, _ = trained(2)
    helpers.assert_equal(start, before)
    for new, wanted in zip(actual, expected, strict=True):
        size = np.maximum(np.abs(wanted), 1e-2)
        assert (np.abs(new - wanted) / size).max() < 1e-5
    images = gan.generate(labels=[0, 1, 2], seed=1)
    difference = images - reference.generate(labels=[0, 1, 2], seed=1).astype(int)
    assert np.abs(difference).max() <= 1
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    helpers.assert_equal(weights(loaded), actual)
    np.testing.assert_array_equal(loaded.generate(labels=[0, 1, 2], seed=1), images)


def test_bad_label_on_the_second_replica():
    labels = LABELS[: 2 * BATCH].copy()
    labels[-1] = 9
    with pytest.raises(ValueError, match=r"step 1 .*a label outside"):
        trained(2, labels=labels, run_eagerly=True)
