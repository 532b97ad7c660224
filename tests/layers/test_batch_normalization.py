"""Batch norm with and without a function that does it in one operation."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_sagan.layers import ConditionalBatchNormalization
from keras_sagan.layers.batch_normalization import BatchNormalization, batch_normalizer
from keras_sagan.models import Generator

IMAGES = np.random.default_rng(0).normal(3, 1, (6, 8, 8, 5)).astype("float32")
LABELS = np.array([0, 1, 1, 0, 2, 2])


@pytest.mark.parametrize("synchronized", [False, True])
def test_it_is_keras_batch_normalization(synchronized):
    layer = BatchNormalization(synchronized=synchronized, momentum=0.5)
    plain = keras.layers.BatchNormalization(momentum=0.5)
    for training in (True, False):
        np.testing.assert_allclose(
            layer(IMAGES, training=training),
            plain(IMAGES, training=training),
            atol=1e-5,
        )
    for a, b in zip(layer.weights, plain.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def marked(x, scale, offset, epsilon):
    """A normaliser whose results can be told from any other."""
    channels = ops.ones(x.shape[-1])
    if len(scale.shape) == 2:  # a row a sample
        scale, offset = scale[:, None, None], offset[:, None, None]
    return 0 * x + 10 * scale + offset, 7 * channels, 9 * channels


def layers(**arguments):
    """A plain and a conditional layer with weights of their own, and their inputs."""
    plain = BatchNormalization(momentum=0.5, **arguments)
    conditional = ConditionalBatchNormalization(3, momentum=0.5, **arguments)
    plain.build(IMAGES.shape)
    conditional.build([IMAGES.shape, LABELS.shape])
    for layer in (plain, conditional):
        rng = np.random.default_rng(1)
        layer.gamma.assign(rng.normal(size=layer.gamma.shape))
        layer.beta.assign(rng.normal(size=layer.beta.shape))
    return [(plain, IMAGES), (conditional, [IMAGES, LABELS])]


def test_the_function_of_the_scope_normalises():
    for layer, inputs in layers():
        with batch_normalizer(marked):
            outputs = ops.convert_to_numpy(layer(inputs, training=True))
        gamma, beta = map(ops.convert_to_numpy, (layer.gamma, layer.beta))
        if gamma.ndim == 2:
            gamma, beta = (x[LABELS][:, None, None] for x in (gamma, beta))
        expected = np.broadcast_to(10 * gamma + beta, IMAGES.shape)
        np.testing.assert_allclose(outputs, expected, rtol=1e-6)
        np.testing.assert_allclose(layer.moving_mean, 3.5)
        np.testing.assert_allclose(layer.moving_variance, 5)


def without(reason):
    """Layers and the arguments of their calls, for which the scope has no effect."""
    found = layers(synchronized=reason == "synchronised moments")
    for layer, _ in found:
        layer.trainable = reason != "not trainable"
    return found, {"training": reason != "inference"}


@pytest.mark.parametrize(
    "reason",
    ["inference", "not trainable", "synchronised moments", "unknown dtype", "after it"],
)
def test_cases_in_which_it_does_not(reason):
    function = marked if reason != "unknown dtype" else lambda *arguments: None
    with batch_normalizer(function):
        found, arguments = without(reason)
        if reason != "after it":
            actual = [layer(inputs, **arguments) for layer, inputs in found]
    if reason == "after it":
        actual = [layer(inputs, **arguments) for layer, inputs in found]
    for outputs, (layer, inputs) in zip(actual, without(reason)[0], strict=True):
        np.testing.assert_allclose(outputs, layer(inputs, **arguments), atol=1e-5)


def test_scopes_nest():
    (layer, inputs), _ = layers()
    with batch_normalizer(lambda *arguments: None):
        with batch_normalizer(marked):
            inner = layer(inputs, training=True)
        outer = layer(inputs, training=True)
    assert np.abs(ops.convert_to_numpy(inner - outer)).max() > 1


@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize("synchronized", [False, True])
def test_generators_use_these_layers(num_classes, synchronized):
    network = Generator(
        num_classes=num_classes, base_filters=8, synchronized=synchronized
    )
    norms = [x for x in network.layers if hasattr(x, "moving_mean")]
    assert len(norms) == 7
    for norm in norms:
        assert norm.synchronized == synchronized
        assert isinstance(norm, (BatchNormalization, ConditionalBatchNormalization))
