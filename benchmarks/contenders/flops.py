"""Floating-point operations of networks, counted from their layers."""

import math

import keras

from keras_sagan.layers import (
    DownsampleConv2D,
    SelfAttention2D,
    SpectralNormalization,
    UpsampleConv2D,
)


def training_flops(gan, batch):
    """Operations of one D and one G step on `batch` images.

    Only multiplications and additions of convolutions, dense layers and attention:
    no normalisation, activation, spectral norm or optimizer. A backward pass costs
    one forward pass for the inputs of a layer and one for its kernel.

    D's step: G forward, D forward and backward on `2 * batch` images, without the
    gradient of the images. G's step: G forward and backward, D forward and the
    gradient of its inputs, on `batch` images.
    """
    generator = layer_flops(gan.generator)
    discriminator = layer_flops(gan.discriminator)
    g, d = sum(generator.values()), sum(discriminator.values())
    of_images = discriminator["block1_conv1"] + discriminator["block1_shortcut"]
    return batch * (g + 2 * (3 * d - of_images) + 3 * g + 2 * d)


def layer_flops(network):
    """Operations of one forward pass of one image: dict from layer name to int."""
    counts = {}
    for layer in network._flatten_layers(recursive=False, include_self=False):
        inner = layer.layer if isinstance(layer, SpectralNormalization) else layer
        for kind, count in _COUNTS.items():
            if isinstance(inner, kind):
                shapes = layer.input.shape, layer.output.shape
                counts[layer.name] = count(inner, *shapes)
    return counts


def _convolution(layer, inputs, outputs):
    return 2 * math.prod(outputs[1:]) * inputs[-1] * math.prod(layer.kernel_size)


def _down(layer, inputs, outputs):
    return 2 * math.prod(outputs[1:]) * inputs[-1] * (layer.kernel_size + 1) ** 2


def _up(layer, inputs, outputs):
    return 2 * math.prod(inputs[1:]) * outputs[-1] * (layer.kernel_size + 1) ** 2


def _dense(layer, inputs, outputs):
    return 2 * inputs[-1] * outputs[-1]


def _attention(layer, inputs, outputs):
    _, height, width, channels = inputs
    queries, keys = height * width, height * width // layer.pool_size**2
    d, e = channels // layer.key_ratio, channels // layer.value_ratio
    projections = queries * channels * (2 * d + 2 * e)
    return 2 * (projections + queries * keys * (d + e))


_COUNTS = {
    keras.layers.Conv2D: _convolution,
    DownsampleConv2D: _down,
    UpsampleConv2D: _up,
    keras.layers.Dense: _dense,
    SelfAttention2D: _attention,
}
