"""Biases: the sum, and a gradient that rounds little however a batch is split."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.layers import DownsampleConv2D, SpectralNormalization, UpsampleConv2D
from keras_sagan.layers.convolutions import Conv2D, add_bias
from tests import helpers


@pytest.mark.parametrize("training", [False, True])
def test_is_a_sum(training):
    outputs, bias = np.ones((2, 3, 4, 5), "float32"), np.arange(5, dtype="float32")
    helpers.assert_equal([add_bias(outputs, bias, training)], [outputs + bias])


@pytest.mark.parametrize("training", [False, True])
def test_convolution_is_that_of_keras(training):
    arguments = {"padding": "same", "activation": "relu", "bias_initializer": "ones"}
    ours, theirs = Conv2D(4, 3, **arguments), keras.layers.Conv2D(4, 3, **arguments)
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    ours(images), theirs(images)
    theirs.set_weights(ours.get_weights())
    found = ours(images, training=training)
    np.testing.assert_allclose(found, theirs(images), rtol=1e-6, atol=1e-6)
    without = Conv2D(4, 3, use_bias=False)
    assert without(images).shape == (2, 6, 6, 4)
    assert len(without.weights) == 1


def bias_gradient(layer, images, upstream):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(images, training=True) * upstream)
    [bias] = [x for x in layer.trainable_variables if x.name == "bias"]
    return np.array(tape.gradient(loss, bias.value))


@pytest.mark.parametrize("kind", [Conv2D, UpsampleConv2D, DownsampleConv2D])
def test_gradient_of_numbers_nearly_alike(kind):
    """One sum over all of them rounds by 2e-6 to 7e-6. The wrapper is passed too."""
    same = {"padding": "same"} if kind is Conv2D else {}
    layer = SpectralNormalization(kind(4, 3, **same))
    images = np.zeros((512, 16, 16, 2), "float32")
    shape = layer(images).shape
    upstream = np.random.default_rng(0).uniform(0.7, 0.8, shape).astype("float32")
    exact = upstream.astype("float64").sum(axis=(0, 1, 2))
    whole = bias_gradient(layer, images, upstream)
    np.testing.assert_allclose(whole, exact, rtol=1e-6)
    parts = [bias_gradient(layer, images[i::4], upstream[i::4]) for i in range(4)]
    np.testing.assert_allclose(np.sum(parts, axis=0), whole, rtol=1e-6)
