"""Blocks, attention and batch norm against the torch reference."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from keras_sagan.interop import transforms
from keras_sagan.interop.assembly import named_variables
from keras_sagan.layers import (
    ConditionalBatchNormalization,
    SelfAttention2D,
    frozen_spectral_norm,
)
from keras_sagan.models import architectures, blocks
from tests.fidelity import comparison, torch_reference

# In float64 more is seen; float32 has the same formulas, rounded.
DTYPES = [
    pytest.param("float32", 1e-4, marks=pytest.mark.slow),
    ("float64", 1e-9),
]
CLASSES, SIZE = 3, 8


@pytest.fixture(autouse=True)
def seed_torch():
    torch.manual_seed(0)


def normal(*shape, dtype, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def copy_convolutions(reference, layers):
    """Weights of `reference.NAME` into the wrappers `layers[NAME]`."""
    for name, wrapper in layers.items():
        module = getattr(reference, name)
        shape = wrapper.layer.kernel.shape
        weight = comparison.to_numpy(module.weight_orig)
        wrapper.layer.kernel.assign(transforms.conv_kernel(weight))
        wrapper.u.assign(comparison.to_numpy(module.weight_u))
        v = comparison.to_numpy(module.weight_v)
        wrapper.v.assign(transforms.conv_v(v, shape))
        if wrapper.layer.bias is not None:
            wrapper.layer.bias.assign(comparison.to_numpy(module.bias))


def copy_norm(reference, layer):
    gain, offset = (
        comparison.to_numpy(getattr(reference.tables, name).weight)
        for name in ("gain", "offset")
    )
    layer.gamma.assign(1 + gain)
    layer.beta.assign(offset)
    layer.moving_mean.assign(comparison.to_numpy(reference.norm.running_mean))
    layer.moving_variance.assign(comparison.to_numpy(reference.norm.running_var))


def assert_same_gradients(layers, tape, value, x, expected, tolerance):
    """Of `value` with respect to the input and the kernels of `layers`."""
    kernels = {name: wrapper.layer.kernel for name, wrapper in layers.items()}
    targets = [x, *(kernel.value for kernel in kernels.values())]
    of_input, *of_kernels = tape.gradient(value, targets)
    reference, x_torch = expected
    gradients = {"input": of_input.numpy()}
    gradients.update(
        {name: g.numpy() for name, g in zip(kernels, of_kernels, strict=True)}
    )
    wanted = {"input": comparison.nhwc(x_torch.grad)}
    for name in kernels:
        gradient = comparison.to_numpy(getattr(reference, name).weight_orig.grad)
        wanted[name] = transforms.conv_kernel(gradient)
    assert comparison.worst_difference(gradients, wanted) <= tolerance


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("setting", ["released", "paper", "formula"])
def test_attention(setting, dtype, tolerance):
    """Output, map, and gradients to the input, the kernels and the gate."""
    channels = 16
    reference = torch_reference.Attention(channels, setting)
    torch_reference.randomize(reference.to(getattr(torch, dtype)), seed=3)
    layer = SelfAttention2D(**architectures.ATTENTION_SETTINGS[setting], dtype=dtype)
    layer.build((None, SIZE, SIZE, channels))
    layers = {"query": layer.query, "key": layer.key, "value": layer.value}
    if layer.output_projection is not None:
        layers["output"] = layer.output_projection
    copy_convolutions(reference, layers)
    layer.gamma.assign(0.7)
    x = tf.constant(3 * normal(2, SIZE, SIZE, channels, dtype=dtype))
    cotangent = normal(*x.shape, dtype=dtype, seed=1)

    with tf.GradientTape() as tape, frozen_spectral_norm():
        tape.watch(x)
        outputs = layer(x, training=True)
        value = tf.reduce_sum(outputs * cotangent)
    with tf.GradientTape() as gate_tape:
        gate_value = tf.reduce_sum(layer(x) * cotangent)
    gate_gradient = gate_tape.gradient(gate_value, layer.gamma.value)
    _, scores = layer(x, return_attention_scores=True)

    x_torch = comparison.nchw(x.numpy()).requires_grad_()
    expected = reference(x_torch)
    (expected * comparison.nchw(cotangent)).sum().backward()
    comparison.assert_close(outputs, comparison.nhwc(expected), tolerance)
    expected_scores = comparison.to_numpy(reference.scores(x_torch))
    comparison.assert_close(scores, expected_scores, tolerance)
    assert expected_scores.max() > 4 / expected_scores.shape[2], "not a flat map"
    gate = comparison.to_numpy(reference.gate.grad)
    comparison.assert_close(gate_gradient, gate, tolerance)
    assert_same_gradients(layers, tape, value, x, (reference, x_torch), tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_generator_block(dtype, tolerance):
    """With its two conditional batch norms in training mode."""
    inputs, filters = 6, 5

    def norm(channels):
        return torch_reference.ConditionalBatchNorm(
            channels, CLASSES, "table", None, 0.9, 1e-5
        )

    reference = torch_reference.GeneratorBlock(inputs, filters, norm)
    torch_reference.randomize(reference.to(getattr(torch, dtype)), seed=4)
    style = style_of(dtype)
    shape = (SIZE, SIZE, inputs)
    features, labels = keras.Input(shape, dtype=dtype), keras.Input((), dtype="int32")
    outputs = blocks.generator_block(features, labels, filters, style, "block")
    block = keras.Model([features, labels], outputs)
    layers = {x: block.get_layer(f"block_{x}") for x in ("conv1", "conv2", "shortcut")}
    copy_convolutions(reference, layers)
    for name in ("bn1", "bn2"):
        copy_norm(getattr(reference, name), block.get_layer(f"block_{name}"))
    x = tf.constant(normal(4, *shape, dtype=dtype))
    y = np.array([0, 2, 1, 2])
    cotangent = normal(4, 2 * SIZE, 2 * SIZE, filters, dtype=dtype, seed=1)

    with tf.GradientTape() as tape, frozen_spectral_norm():
        tape.watch(x)
        outputs = block([x, tf.constant(y, tf.int32)], training=True)
        value = tf.reduce_sum(outputs * cotangent)
    x_torch = comparison.nchw(x.numpy()).requires_grad_()
    with torch_reference.frozen(reference):
        expected = reference(x_torch, torch.from_numpy(y))
        (expected * comparison.nchw(cotangent)).sum().backward()
    comparison.assert_close(outputs, comparison.nhwc(expected), tolerance)
    assert_same_gradients(layers, tape, value, x, (reference, x_torch), tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize(
    ("first", "halve", "filters", "activated"),
    [
        pytest.param(True, True, 5, False, id="first"),
        pytest.param(False, True, 5, False, id="halving"),
        pytest.param(False, True, 5, True, id="halving-activated"),
        pytest.param(False, False, 6, False, id="identity"),
        pytest.param(False, False, 6, True, id="identity-activated"),
        pytest.param(False, False, 5, False, id="wider"),
    ],
)
def test_discriminator_block(first, halve, filters, activated, dtype, tolerance):
    inputs = 6
    reference = torch_reference.DiscriminatorBlock(
        inputs, filters, halve, first, activated
    )
    torch_reference.randomize(reference.to(getattr(torch, dtype)), seed=5)
    style, shape = style_of(dtype), (SIZE, SIZE, inputs)
    features = keras.Input(shape, dtype=dtype)
    if first:
        outputs = blocks.first_discriminator_block(features, filters, style, "block")
    else:
        outputs = blocks.discriminator_block(
            features, filters, halve, activated, style, "block"
        )
    block = keras.Model(features, outputs)
    layers = {
        name: block.get_layer(f"block_{name}")
        for name in ("conv1", "conv2", "shortcut")
        if hasattr(reference, name)
    }
    assert len(named_variables(block)) == 4 * len(layers)
    copy_convolutions(reference, layers)
    x = tf.constant(normal(3, *shape, dtype=dtype))
    cotangent = normal(3, *outputs.shape[1:], dtype=dtype, seed=1)

    with tf.GradientTape() as tape, frozen_spectral_norm():
        tape.watch(x)
        outputs = block(x, training=True)
        value = tf.reduce_sum(outputs * cotangent)
    x_torch = comparison.nchw(x.numpy()).requires_grad_()
    expected = reference(x_torch)
    (expected * comparison.nchw(cotangent)).sum().backward()
    comparison.assert_close(outputs, comparison.nhwc(expected), tolerance)
    assert_same_gradients(layers, tape, value, x, (reference, x_torch), tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_conditional_batch_normalization(dtype, tolerance):
    """Both modes, the gradients of the tables and the moving statistics."""
    channels = 5
    reference = torch_reference.ConditionalBatchNorm(
        channels, CLASSES, "table", None, 0.9, 1e-5
    )
    torch_reference.randomize(reference.to(getattr(torch, dtype)), seed=6)
    layer = ConditionalBatchNormalization(CLASSES, 0.9, 1e-5, dtype=dtype)
    layer.build([(None, SIZE, SIZE, channels), (None,)])
    copy_norm(reference, layer)
    x, labels = normal(4, SIZE, SIZE, channels, dtype=dtype), np.array([0, 2, 1, 2])
    x_torch, labels_torch = comparison.nchw(x), torch.from_numpy(labels)
    labels = tf.constant(labels, tf.int32)
    cotangent = normal(*x.shape, dtype=dtype, seed=1)

    expected = comparison.nhwc(reference(x_torch, labels_torch))
    comparison.assert_close(layer([x, labels]), expected, tolerance)

    with tf.GradientTape() as tape:
        outputs = layer([x, labels], training=True)
        value = tf.reduce_sum(outputs * cotangent)
    gradients = tape.gradient(value, [layer.gamma.value, layer.beta.value])
    reference.train()
    expected = reference(x_torch, labels_torch)
    (expected * comparison.nchw(cotangent)).sum().backward()
    comparison.assert_close(outputs, comparison.nhwc(expected), tolerance)
    for gradient, name in zip(gradients, ("gain", "offset"), strict=True):
        wanted = getattr(reference.tables, name).weight.grad
        dense = tf.convert_to_tensor(gradient)
        comparison.assert_close(dense, comparison.to_numpy(wanted), tolerance)
    for ours, theirs in [
        (layer.moving_mean, reference.norm.running_mean),
        (layer.moving_variance, reference.norm.running_var),
    ]:
        comparison.assert_close(ours, comparison.to_numpy(theirs), tolerance)


def style_of(dtype):
    return blocks.Style(
        kernel_initializer="glorot_uniform",
        attention="released",
        dtype=keras.dtype_policies.get(dtype),
        num_classes=CLASSES,
        batch_norm_momentum=0.9,
        batch_norm_epsilon=1e-5,
    )
