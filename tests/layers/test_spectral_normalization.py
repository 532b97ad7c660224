"""Spectral normalisation: the mathematics, against NumPy."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_sagan.layers import (
    SpectralNormalization,
    advance_spectral_norm,
    frozen_spectral_norm,
    spectral_norm_layers,
)
from tests.layers.wrapped_layers import KINDS, kernel_of, largest_singular_value


def wrap(name, **kwargs):
    """A built wrapper around the layer `name`, and its `Kind`."""
    kind = KINDS[name]
    layer = SpectralNormalization(kind.make(**kwargs))
    layer(kind.inputs())
    return layer, kind


def vectors(layer):
    return np.array(layer.u), np.array(layer.v)


def change_kernel(layer, kind):
    """Assign a kernel that the stored `u`, `v` do not fit; its matrix."""
    kernel = kernel_of(layer)
    kernel.assign(2.0 + np.random.default_rng(1).normal(size=kernel.shape))
    return kind.matrix(kernel)


def power_iteration(matrix, u, iterations):
    """Miyato et al., algorithm 1, in NumPy."""
    for _ in range(iterations):
        v = matrix @ u / np.linalg.norm(matrix @ u)
        u = matrix.T @ v / np.linalg.norm(matrix.T @ v)
    return u, v


# === sigma ===
@pytest.mark.parametrize("name", KINDS)
def test_sigma_is_right_on_the_first_step(name):
    layer, kind = wrap(name)
    truth = largest_singular_value(kind.matrix(kernel_of(layer)))
    sigma = float(layer.sigma())
    assert 0.97 * truth <= sigma <= truth * (1 + 1e-6)


@pytest.mark.parametrize("shape", [(3, 3, 64, 64), (1, 1, 128, 16), (3, 3, 256, 3)])
def test_sigma_is_right_on_the_first_step_at_real_sizes(shape):
    *size, inputs, filters = shape
    layer = SpectralNormalization(keras.layers.Conv2D(filters, size))
    layer.build((None, 8, 8, inputs))
    matrix = np.reshape(layer.layer.kernel, (-1, filters))
    assert float(layer.sigma()) == pytest.approx(
        largest_singular_value(matrix), rel=0.03
    )


@pytest.mark.parametrize("name", KINDS)
def test_sigma_converges_to_the_largest_singular_value(name):
    layer, kind = wrap(name, dtype="float64")
    matrix = change_kernel(layer, kind)
    advance_spectral_norm(layer, 30)
    assert float(layer.sigma()) == pytest.approx(
        largest_singular_value(matrix), rel=1e-9
    )
    u, v = vectors(layer)
    left, _, right = np.linalg.svd(matrix)
    np.testing.assert_allclose(np.abs(v), np.abs(left[:, 0]), atol=1e-6)
    np.testing.assert_allclose(np.abs(u), np.abs(right[0]), atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_u_is_in_the_space_of_the_outputs_and_of_an_embeddings_classes(name):
    layer, kind = wrap(name)
    rest, out = kind.matrix(kernel_of(layer)).shape
    assert layer.u.shape == (out,)
    assert layer.v.shape == (rest,)


@pytest.mark.parametrize("name", KINDS)
def test_output_is_that_of_the_layer_with_the_divided_kernel(name):
    layer, kind = wrap(name)
    matrix = change_kernel(layer, kind)
    advance_spectral_norm(layer)
    u, v = vectors(layer)
    plain = kind.make()
    plain(kind.inputs())
    plain.set_weights(layer.layer.get_weights())
    kernel_of(plain).assign(np.array(kernel_of(layer)) / (v @ matrix @ u))
    np.testing.assert_allclose(
        layer(kind.inputs()), plain(kind.inputs()), rtol=1e-5, atol=1e-6
    )


# === Gradient ===
def loss_and_gradient(layer, inputs):
    """A fixed random projection of the output, and its gradient to the kernel."""
    with tf.GradientTape() as tape:
        outputs = layer(inputs, training=True)
        weights = np.random.default_rng(2).normal(size=outputs.shape)
        loss = ops.sum(outputs * ops.convert_to_tensor(weights, "float64"))
    gradient = tape.gradient(loss, kernel_of(layer).value)
    return float(loss), np.array(tf.convert_to_tensor(gradient))


@pytest.mark.parametrize("name", KINDS)
def test_gradient_flows_through_sigma(name):
    """Equal to finite differences of the loss with `u`, `v` held."""
    layer, kind = wrap(name, dtype="float64")
    inputs, kernel, step = kind.inputs(), kernel_of(layer), 1e-6
    change_kernel(layer, kind)
    advance_spectral_norm(layer)  # half-way: sigma is still too small
    with frozen_spectral_norm():
        _, gradient = loss_and_gradient(layer, inputs)
        value = np.array(kernel)
        differences = np.zeros_like(value)
        entries = list(np.ndindex(value.shape))[:: max(1, value.size // 20)]
        for index in entries:
            for sign in (1, -1):
                moved = value.copy()
                moved[index] += sign * step
                kernel.assign(moved)
                loss, _ = loss_and_gradient(layer, inputs)
                differences[index] += sign * loss / (2 * step)
    at = tuple(np.transpose(entries))
    np.testing.assert_allclose(
        gradient[at], differences[at], rtol=1e-5, atol=1e-6 * np.abs(gradient).max()
    )


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose", "Embedding"])
def test_gradient_is_that_of_the_exact_norm_once_converged(name):
    """Against `dW/sigma - <dW, W> u v^T / sigma^2` with the pair of NumPy's SVD."""
    layer, kind = wrap(name, dtype="float64")
    matrix = change_kernel(layer, kind)
    advance_spectral_norm(layer, 30)
    _, gradient = loss_and_gradient(layer, kind.inputs())

    plain = kind.make(dtype="float64")
    plain(kind.inputs())
    plain.set_weights(layer.layer.get_weights())
    left, sigmas, right = np.linalg.svd(matrix)
    sigma = sigmas[0]
    kernel_of(plain).assign(np.array(kernel_of(layer)) / sigma)
    with tf.GradientTape() as tape:
        outputs = plain(kind.inputs())
        weights = np.random.default_rng(2).normal(size=outputs.shape)
        loss = ops.sum(outputs * ops.convert_to_tensor(weights, "float64"))
    raw = tape.gradient(loss, kernel_of(plain).value)
    raw = kind.matrix(tf.convert_to_tensor(raw))
    expected = raw / sigma
    expected -= np.sum(raw * matrix) / sigma**2 * np.outer(left[:, 0], right[0])
    np.testing.assert_allclose(kind.matrix(gradient), expected, rtol=1e-6, atol=1e-9)
    # The wrapper of Keras would give the first term alone.
    assert np.abs(expected - raw / sigma).max() > 0.01 * np.abs(expected).max()


# === State ===
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_training_pass_leaves_the_stored_kernel_as_it_is(name, policy):
    layer, kind = wrap(name, dtype=policy)
    change_kernel(layer, kind)
    before, u = np.array(kernel_of(layer)), np.array(layer.u)
    for _ in range(3):
        layer(kind.inputs(), training=True)
    np.testing.assert_array_equal(kernel_of(layer), before)
    assert not np.allclose(layer.u, u)


@pytest.mark.parametrize("iterations", [1, 3])
@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose", "Embedding"])
def test_a_training_pass_advances_by_power_iterations(name, iterations):
    kind = KINDS[name]
    layer = SpectralNormalization(
        kind.make(dtype="float64"), power_iterations=iterations
    )
    layer(kind.inputs())
    matrix = change_kernel(layer, kind)
    u, v = power_iteration(matrix, np.array(layer.u), iterations)
    layer(kind.inputs(), training=True)
    np.testing.assert_allclose(layer.u, u, rtol=1e-9)
    np.testing.assert_allclose(layer.v, v, rtol=1e-9)


def test_inference_uses_the_stored_pair():
    layer, kind = wrap("Conv2D")
    change_kernel(layer, kind)
    before = vectors(layer)
    layer(kind.inputs())
    layer(kind.inputs(), training=False)
    np.testing.assert_array_equal(layer.u, before[0])
    np.testing.assert_array_equal(layer.v, before[1])


def test_only_the_wrapped_layers_weights_are_trained():
    layer, _ = wrap("Conv2D")
    assert {v.name for v in layer.trainable_variables} == {"kernel", "bias"}
    assert {v.name for v in layer.non_trainable_variables} == {"u", "v"}


def test_a_zero_kernel_gives_zeros_and_recovers():
    layer, kind = wrap("Dense", use_bias=False)
    kernel = kernel_of(layer)
    kernel.assign(np.zeros(kernel.shape))
    for training in (False, True, True):
        outputs = np.array(layer(kind.inputs(), training=training))
        np.testing.assert_array_equal(outputs, np.zeros_like(outputs))
    assert np.isfinite(vectors(layer)[0]).all() and np.isfinite(vectors(layer)[1]).all()
    matrix = change_kernel(layer, kind)
    advance_spectral_norm(layer, 30)
    assert float(layer.sigma()) == pytest.approx(
        largest_singular_value(matrix), rel=1e-4
    )


def test_a_kernel_initialised_with_zeros_gives_zeros_and_recovers():
    layer, kind = wrap("Conv2D", kernel_initializer="zeros")
    outputs = np.array(layer(kind.inputs(), training=True))
    np.testing.assert_array_equal(outputs, np.zeros_like(outputs))
    matrix = change_kernel(layer, kind)
    advance_spectral_norm(layer, 30)
    assert float(layer.sigma()) == pytest.approx(
        largest_singular_value(matrix), rel=1e-4
    )


# === Scopes ===
def test_values_that_are_not_finite_give_no_warning_of_numpy():
    """As in a function that is traced: what looks at the losses reports them."""
    layer, _ = wrap("Conv2D")
    kernel_of(layer).assign(kernel_of(layer) * np.inf)
    advance_spectral_norm(layer)


def test_frozen_scope_holds_u_and_v():
    layer, kind = wrap("Conv2D")
    change_kernel(layer, kind)
    before = vectors(layer)
    with frozen_spectral_norm():
        layer(kind.inputs(), training=True)
        with frozen_spectral_norm():
            layer(kind.inputs(), training=True)
        layer(kind.inputs(), training=True)  # the inner scope does not end the outer
    np.testing.assert_array_equal(layer.u, before[0])
    np.testing.assert_array_equal(layer.v, before[1])
    layer(kind.inputs(), training=True)
    assert not np.allclose(layer.u, before[0])


def test_frozen_scope_ends_with_an_exception():
    layer, kind = wrap("Conv2D")
    change_kernel(layer, kind)
    with pytest.raises(KeyError), frozen_spectral_norm():
        raise KeyError
    before = vectors(layer)
    layer(kind.inputs(), training=True)
    assert not np.allclose(layer.u, before[0])


def test_frozen_scope_belongs_to_its_thread():
    layer, kind = wrap("Conv2D")
    change_kernel(layer, kind)
    before = vectors(layer)
    with frozen_spectral_norm():
        other = threading.Thread(
            target=layer.__call__, args=(kind.inputs(),), kwargs={"training": True}
        )
        other.start()
        other.join()
    assert not np.allclose(layer.u, before[0])


def test_advance_reaches_every_layer_of_a_model():
    inner = keras.Sequential(
        [SpectralNormalization(keras.layers.Dense(4, dtype="float64"))]
    )
    outer = SpectralNormalization(keras.layers.Dense(3, dtype="float64"))
    model = keras.Sequential([keras.Input((5,)), inner, outer])
    assert set(spectral_norm_layers(model)) == {inner.layers[0], outer}
    expected = []
    for layer in spectral_norm_layers(model):
        matrix = change_kernel(layer, KINDS["Dense"])
        expected.append(power_iteration(matrix, np.array(layer.u), 2))
    with frozen_spectral_norm():  # an explicit advance is meant
        advance_spectral_norm(model, iterations=2)
    for layer, (u, v) in zip(spectral_norm_layers(model), expected, strict=True):
        np.testing.assert_allclose(layer.u, u, rtol=1e-9)
        np.testing.assert_allclose(layer.v, v, rtol=1e-9)


def test_a_kernel_that_was_set_without_its_vectors_stays_of_its_size():
    """Where sigma, of vectors of another kernel, is negative."""
    layer = SpectralNormalization(keras.layers.Dense(4))
    inputs = np.ones((1, 6), "float32")
    layer(inputs)
    kernel = np.array(layer.layer.kernel)
    expected = np.array(layer(inputs))
    layer.layer.kernel.assign(-kernel)
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5)
    layer.layer.kernel.assign(0 * kernel)
    np.testing.assert_array_equal(layer(inputs), 0 * expected)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "mixed_bfloat16", "float32"])
def test_vectors_and_sigma_are_float32_under_every_policy(dtype):
    layer = SpectralNormalization(keras.layers.Dense(4, dtype=dtype))
    layer(np.ones((1, 6), "float32"), training=True)
    for value in (layer.u, layer.v, layer.sigma()):
        assert keras.backend.standardize_dtype(value.dtype) == "float32"
    kernel = layer.normalized_kernel()
    assert kernel.dtype == ops.convert_to_tensor(layer.layer.kernel).dtype
