"""`SAGAN` in `fit`, as any other Keras model."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import helpers

IMAGES, LABELS = helpers.images_and_labels(8)
NAMES = ("loss", "d_loss", "g_loss", "d_real", "d_fake", "g_gamma_16", "d_gamma_16")


def dataset(images=IMAGES, labels=LABELS, batch_size=4):
    data = images if labels is None else (images, labels)
    data = tf.data.Dataset.from_tensor_slices(data)
    return data.batch(batch_size, drop_remainder=True)


@pytest.fixture(scope="module")
def gan():
    """A compiled model whose training step is traced once for all tests."""
    gan = helpers.tiny_gan()
    gan.compile(**helpers.sgd_pair())
    return gan


@pytest.mark.slow
def test_fit_with_the_stock_callbacks(gan, tmp_path):
    weights = tmp_path / "last.weights.h5"
    checkpoint = tmp_path / "{epoch}-{val_d_loss:.3f}.keras"
    callbacks = [
        keras.callbacks.TensorBoard(tmp_path / "logs", update_freq=1),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.ModelCheckpoint(weights, save_weights_only=True),
        keras.callbacks.ModelCheckpoint(
            checkpoint, monitor="val_d_loss", mode="min", save_best_only=True
        ),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.EarlyStopping("d_fake", mode="max", min_delta=1e9, patience=1),
    ]
    history = gan.fit(
        dataset(),
        epochs=5,
        validation_data=dataset(),
        callbacks=callbacks,
        verbose=0,
    ).history
    validated = {f"val_{name}" for name in NAMES[:5]}
    assert set(history) == {*NAMES, *validated}
    assert all(np.isfinite(values).all() for values in history.values())
    assert len(history["loss"]) == 2  # stopped early
    assert int(gan.g_optimizer.iterations) == 4
    np.testing.assert_allclose(
        history["loss"], np.add(history["d_loss"], history["g_loss"]), rtol=1e-5
    )
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    logged = [float(row["val_d_loss"]) for row in rows]
    np.testing.assert_allclose(logged, history["val_d_loss"], rtol=1e-6)
    assert list((tmp_path / "logs" / "train").iterdir())
    assert weights.is_file()
    best = [path.name for path in tmp_path.glob("*.keras")]
    assert f"1-{history['val_d_loss'][0]:.3f}.keras" in best


def test_fit_with_arrays_and_steps(gan):
    before = int(gan.g_optimizer.iterations)
    gan.fit(IMAGES, LABELS, batch_size=4, epochs=2, verbose=0)
    assert int(gan.g_optimizer.iterations) == before + 4
    gan.fit(dataset().repeat(), steps_per_epoch=3, verbose=0)
    assert int(gan.g_optimizer.iterations) == before + 7
    assert int(gan.d_optimizer.iterations) == before + 7


def test_evaluate_is_a_function_of_weights_seed_and_data(gan):
    logs = gan.evaluate(IMAGES, LABELS, batch_size=4, return_dict=True, verbose=0)
    assert set(logs) == set(NAMES[:5])
    assert gan.evaluate(dataset(), return_dict=True, verbose=0) == pytest.approx(logs)
    other = gan.evaluate(dataset(255 - IMAGES), return_dict=True, verbose=0)
    assert other["d_real"] != pytest.approx(logs["d_real"])
    assert other["d_fake"] == pytest.approx(logs["d_fake"])


def test_evaluate_counts_images_not_batches(gan):
    """As Keras does: the last batch may be smaller."""
    data = tf.data.Dataset.from_tensor_slices((IMAGES[:5], LABELS[:5]))
    whole = gan.evaluate(data.batch(5), return_dict=True, verbose=0)
    parts = gan.evaluate(data.batch(4), return_dict=True, verbose=0)
    assert parts["d_real"] == pytest.approx(whole["d_real"], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("held_out", ["evaluate", "validation_data"])
def test_bad_held_out_data_are_refused(gan, held_out):
    bad = IMAGES.astype("float32"), LABELS  # in [0, 255]
    before = int(gan.g_optimizer.iterations.numpy())
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        if held_out == "evaluate":
            gan.evaluate(*bad, batch_size=4, verbose=0)
        else:
            gan.fit(dataset(), validation_data=bad, verbose=0)
    assert int(gan.g_optimizer.iterations.numpy()) == before
    one_class = np.zeros(len(LABELS), "int32")
    gan.evaluate(IMAGES, one_class, batch_size=4, verbose=0)


@pytest.mark.parametrize("weights", ["sample_weight", "class_weight"])
def test_weights_of_images_are_refused(gan, weights):
    value = np.ones(8) if weights == "sample_weight" else {0: 1.0, 1: 2.0, 2: 1.0}
    with pytest.raises(ValueError, match="have no `sample_weight` or `class_weight`"):
        gan.fit(IMAGES, LABELS, batch_size=4, verbose=0, **{weights: value})


def test_fit_before_compile():
    with pytest.raises(ValueError, match="You must call `compile"):
        helpers.tiny_gan(attention=False).fit(dataset(), verbose=0)


def test_a_call_in_training_mode_leaves_the_averages_alone(gan):
    inputs = [np.zeros((2, gan.generator.latent_dim), "float32"), LABELS[:2]]
    before = helpers.values(gan.ema_generator.variables)
    gan(inputs, training=True)
    helpers.assert_equal(helpers.values(gan.ema_generator.variables), before)


def test_predict_and_call_are_the_averaged_generator(gan):
    latents = np.random.default_rng(0).normal(size=(3, 8)).astype("float32")
    inputs = [latents, np.array([0, 1, 2])]
    images = gan.predict(inputs, verbose=0)
    expected = gan.ema_generator(inputs, training=False)
    assert images.shape == (3, 32, 32, 3)
    np.testing.assert_allclose(images, expected, atol=1e-5)
    np.testing.assert_allclose(gan(inputs), expected, atol=1e-5)


def test_compiling_again_starts_new_optimizers(gan):
    gan.compile()
    assert int(gan.g_optimizer.iterations) == 0
    assert len(gan.get_compile_config()) > 5


# The same two steps, however they run.
def weights_after_two_steps(**arguments):
    gan = helpers.tiny_gan()
    variables = gan.generator.variables + gan.discriminator.variables
    before = helpers.values(variables)
    gan.compile(**helpers.sgd_pair(), **arguments)
    gan.fit(dataset(), verbose=0)
    assert int(gan.g_optimizer.iterations) == 2
    return before, helpers.values(variables)


@pytest.fixture(scope="module")
def plain():
    """Weights before two steps and after them, without any graph."""
    return weights_after_two_steps(run_eagerly=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [{"steps_per_execution": 2}, {"jit_compile": True}], ids=str
)
def test_compiled_steps_are_the_plain_ones(plain, arguments):
    _, actual = weights_after_two_steps(**arguments)
    helpers.assert_same_change(plain[0], actual, plain[1], tolerance=1e-3)


@pytest.mark.slow
def test_penalised_steps_under_xla_are_those_of_a_graph():
    """XLA has second derivatives of its own, of pooling in attention too."""
    penalised = {"loss": "relativistic", "r1_gamma": 0.5, "r2_gamma": 0.25}
    before, expected = weights_after_two_steps(**penalised)
    _, actual = weights_after_two_steps(**penalised, jit_compile=True)
    helpers.assert_same_change(before, actual, expected, tolerance=1e-3)


def test_unconditional_model_with_one_channel():
    gan = helpers.tiny_gan(None, attention=False, channels=1)
    gan.compile(
        discriminator_steps=2,
        gradient_accumulation_steps=2,
        loss="wasserstein",
        run_eagerly=True,
    )
    images, _ = helpers.images_and_labels(8, channels=1)
    before = helpers.values(gan.discriminator.trainable_variables)
    history = gan.fit(dataset(images, None, batch_size=4), verbose=0).history
    assert set(history) == set(NAMES[:5])
    assert (int(gan.g_optimizer.iterations), int(gan.d_optimizer.iterations)) == (2, 4)
    assert not np.array_equal(before[0], gan.discriminator.trainable_variables[0])
    gan.evaluate(images, verbose=0)
    assert gan.predict(np.zeros((1, 8)), verbose=0).shape == (1, 32, 32, 1)
