"""The control of self-attention: its formula, its size, its errors."""

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.layers import GatedResidual2D, SelfAttention2D


def count(layer):
    return sum(np.prod(v.shape) for v in layer.trainable_variables)


@pytest.mark.parametrize("channels", [8, 16, 64, 256])
def test_has_exactly_as_many_parameters_as_released_attention(channels):
    control, attention = GatedResidual2D(), SelfAttention2D()
    for layer in (control, attention):
        layer.build((None, 4, 4, channels))
    assert count(control) == count(attention) == 1.25 * channels**2 + 1


def test_equals_the_formula():
    layer = GatedResidual2D(bottleneck_ratio=2, dtype="float64")
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 6))
    layer.build(x.shape)
    layer.gamma.assign(0.3)

    def kernel(projection):
        kernel = np.array(projection.layer.kernel)
        m = kernel.reshape(-1, kernel.shape[-1])
        return kernel / (np.array(projection.v) @ m @ np.array(projection.u))

    hidden = tf.nn.conv2d(np.maximum(x, 0), kernel(layer.reduce), 1, "SAME")
    expected = x + 0.3 * np.array(hidden) @ kernel(layer.expand)[0, 0]
    np.testing.assert_allclose(layer(x), expected, rtol=1e-10)


def test_without_spectral_norm():
    layer = GatedResidual2D(bottleneck_ratio=2, spectral_norm=False, dtype="float64")
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 6))
    layer.build(x.shape)
    layer.gamma.assign(0.3)
    assert [v.name for v in layer.weights] == ["gamma", "kernel", "kernel"]
    hidden = tf.nn.conv2d(np.maximum(x, 0), layer.reduce.kernel, 1, "SAME")
    expected = x + 0.3 * np.array(hidden) @ np.array(layer.expand.kernel)[0, 0]
    np.testing.assert_allclose(layer(x), expected, rtol=1e-10)


def test_at_initialisation_the_output_is_the_input_and_the_gate_learns():
    layer = GatedResidual2D()
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 8)).astype("float32")
    with tf.GradientTape() as tape:
        outputs = layer(x, training=True)
        loss = tf.reduce_sum(outputs**2)
    np.testing.assert_array_equal(outputs, x)
    assert abs(float(tape.gradient(loss, layer.gamma.value))) > 1e-3


@pytest.mark.parametrize("value", [0, 1.5, True])
def test_bad_ratio(value):
    with pytest.raises(ValueError, match=f"`bottleneck_ratio` must .*={value!r}"):
        GatedResidual2D(bottleneck_ratio=value)


def test_channels_must_divide():
    with pytest.raises(ValueError, match="channels=12, bottleneck_ratio=8"):
        GatedResidual2D().build((None, 4, 4, 12))
