"""A step is the same however many replicas share it: compared with plain SGD.

Adam would hide gradients that are summed instead of averaged (it is nearly free of
scale), and so would a learning rate too small to move the weights. Two processes are
in `test_processes.py`.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.training import steps
from tests import helpers
from tests.training import equivalence

pytestmark = pytest.mark.distributed

STEPS, BATCH = 3, 8
IMAGES, LABELS = helpers.images_and_labels(STEPS * BATCH)
RATE = 2.0**-8


@pytest.fixture(scope="module")
def alone():
    """One replica: weights before and after."""
    gan, before = equivalence.build(equivalence.mirrored(1))
    gan.fit(equivalence.dataset(), verbose=0)
    equivalence.assert_moved(gan, before)
    return before, equivalence.weights(gan)


def float32_error(replicas, alone):
    before, expected = alone
    gan, start = equivalence.build(equivalence.mirrored(replicas))
    helpers.assert_equal(start, before)
    gan.fit(equivalence.dataset(), verbose=0)
    return equivalence.largest_error(equivalence.weights(gan), expected)


@pytest.mark.slow
def test_five_steps_of_64_images_on_two_replicas_in_float32(alone):
    assert float32_error(2, alone) <= 1e-5


@pytest.mark.patient
def test_five_steps_of_64_images_on_four_replicas_in_float32(alone):
    assert float32_error(4, alone) <= 1e-5


def trained(replicas, dtype="float64", labels=LABELS, **arguments):
    """A model after a few small steps, its weights, the history."""
    synchronized = arguments.pop("synchronized", True)
    gan, before = equivalence.build(
        equivalence.mirrored(replicas),
        dtype=dtype,
        synchronized=synchronized,
        run_eagerly=True,
        rates=(RATE, RATE),
        **arguments,
    )
    data = tf.data.Dataset.from_tensor_slices((IMAGES[: len(labels)], labels))
    history = gan.fit(data.batch(BATCH, drop_remainder=True), verbose=0).history
    return gan, before, equivalence.weights(gan), history


@pytest.fixture(scope="module")
def reference():
    return trained(1)


def error(results, reference):
    return equivalence.largest_error(results[2], reference[2])


@pytest.mark.patient
def test_averages_and_logs_with_several_passes_a_step():
    arguments = {"discriminator_steps": 2, "gradient_accumulation_steps": 2}
    expected, actual = trained(1, **arguments), trained(2, **arguments)
    helpers.assert_same_change(expected[1], actual[2], expected[2], tolerance=1e-6)
    for a, b in zip(
        helpers.values(actual[0]._averaged.averages),
        helpers.values(expected[0]._averaged.averages),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    assert set(actual[3]) == set(expected[3])
    for name, values in expected[3].items():
        np.testing.assert_allclose(actual[3][name], values, rtol=1e-4, err_msg=name)


@pytest.mark.patient
def test_mixed_precision():
    expected, actual = trained(1, "mixed_bfloat16"), trained(2, "mixed_bfloat16")
    # bfloat16 has 8 bits: the rounding of one replica's gradients is not another's.
    changes = [
        np.concatenate([np.ravel(b - a) for a, b in zip(x[1], x[2], strict=True)])
        for x in (expected, actual)
    ]
    difference = np.linalg.norm(changes[1] - changes[0])
    assert difference <= 0.2 * np.linalg.norm(changes[0])


@pytest.mark.patient
def test_adaptive_augmentation():
    arguments = {"augmentation": "ada"}
    expected, actual = trained(1, **arguments), trained(2, **arguments)
    helpers.assert_same_change(expected[1], actual[2], expected[2], tolerance=1e-6)
    np.testing.assert_allclose(
        actual[0].augmentation.values, expected[0].augmentation.values
    )


# === The comparison fails where something is left out ===
@pytest.mark.parametrize("replicas", [2, pytest.param(4, marks=pytest.mark.patient)])
def test_nothing_left_out(reference, replicas):
    assert error(trained(replicas), reference) <= 1e-7


PAIRED = {
    "loss": "relativistic",
    "r1_gamma": 0.5,
    "r2_gamma": 0.25,
    "discriminator_steps": 2,
}


@pytest.fixture(scope="module")
def paired():
    return trained(1, **PAIRED)


@pytest.mark.slow
@pytest.mark.parametrize("replicas", [2, 4])
def test_pairs_and_penalties(paired, replicas):
    assert error(trained(replicas, **PAIRED), paired) <= 1e-7


@pytest.mark.patient
def test_pairs_and_penalties_accumulated():
    arguments = {**PAIRED, "gradient_accumulation_steps": 2}
    expected, actual = trained(1, **arguments), trained(2, **arguments)
    helpers.assert_same_change(expected[1], actual[2], expected[2], tolerance=1e-6)


@pytest.mark.slow
def test_without_the_division_of_losses(reference, monkeypatch):
    monkeypatch.setattr(steps, "_divisor", len)
    assert error(trained(2), reference) > 1e-2


@pytest.mark.slow
def test_without_synchronised_batch_statistics(reference):
    assert error(trained(2, synchronized=False), reference) > 1e-2


@pytest.mark.slow
def test_without_rows_of_their_own(reference, monkeypatch):
    """Both replicas draw the latents of the first one."""
    monkeypatch.setattr(sampling, "own_rows", lambda function, count: function(count))
    assert error(trained(2), reference) > 1e-2


# === What users do next, and what they do wrong ===
@pytest.mark.slow
def test_a_model_of_two_replicas_is_saved_and_loaded(tmp_path):
    gan, _, actual, _ = trained(2, None)
    images = gan.generate(labels=[0, 1, 2], seed=1)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    helpers.assert_equal(equivalence.weights(loaded), actual)
    helpers.assert_same_pixels(loaded.generate(labels=[0, 1, 2], seed=1), images)


@pytest.mark.slow
def test_adam_on_two_replicas():
    """The optimizers of all presets. Replicas are threads that share them."""
    found = []
    for replicas in (1, 2):
        strategy = equivalence.mirrored(replicas)
        with strategy.scope():
            pair = [
                keras.optimizers.Adam(0.02, beta_1=0.5, epsilon=0.1) for _ in range(2)
            ]
        gan, before = equivalence.build(
            strategy, dtype="float64", g_optimizer=pair[0], d_optimizer=pair[1]
        )
        gan.fit(equivalence.dataset(), verbose=0)
        equivalence.assert_moved(gan, before)
        found.append(equivalence.weights(gan))
    assert equivalence.largest_error(*found) <= 1e-9


def test_a_batch_of_arrays_that_does_not_divide_by_the_replicas():
    gan, _ = equivalence.build(equivalence.mirrored(2))
    with pytest.raises(ValueError, match="must be divisible by their number, 2"):
        gan.fit(IMAGES[:9], LABELS[:9], batch_size=3, verbose=0)


@pytest.mark.slow
def test_bad_label_on_the_second_replica():
    labels = LABELS[: 2 * BATCH].copy()
    labels[-1] = 9
    with pytest.raises(ValueError, match=r"step 1 .*a label outside"):
        trained(2, labels=labels)
