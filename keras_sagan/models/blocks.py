"""Residual blocks of the two networks, as functions on (symbolic) tensors.

`Style` carries what all layers of one network share, so that a block's arguments
are only what differs between blocks.
"""

import dataclasses

import keras

from keras_sagan.layers.batch_normalization import BatchNormalization
from keras_sagan.layers.conditional_batch_normalization import (
    ConditionalBatchNormalization,
)
from keras_sagan.layers.convolutions import (
    Conv2D,
    DownsampleConv2D,
    UpsampleConv2D,
    average_pool,
    nearest_upsample,
)
from keras_sagan.layers.gated_residual import GatedResidual2D
from keras_sagan.layers.self_attention import SelfAttention2D
from keras_sagan.layers.spectral_normalization import SpectralNormalization
from keras_sagan.models.architectures import ATTENTION_SETTINGS


@dataclasses.dataclass(frozen=True)
class Style:
    """What the layers of one network share."""

    kernel_initializer: str
    attention: str
    dtype: object
    num_classes: int | None = None
    synchronized: bool = False
    batch_norm_momentum: float = 0.999
    batch_norm_epsilon: float = 1e-5
    spectral_norm: bool = True


def generator_block(x, labels, filters, style, name):
    """BN-ReLU-up-3x3-BN-ReLU-3x3 plus up-1x1: `(B, 2H, 2W, filters)`.

    The shortcut's 1x1 convolution runs before its upsampling, which commutes.
    """
    hidden = normalize(x, labels, style, f"{name}_bn1")
    hidden = _relu(hidden, style, f"{name}_relu1")
    hidden = _conv(UpsampleConv2D, filters, style, f"{name}_conv1")(hidden)
    hidden = normalize(hidden, labels, style, f"{name}_bn2")
    hidden = _relu(hidden, style, f"{name}_relu2")
    hidden = conv(filters, 3, style, f"{name}_conv2")(hidden)
    shortcut = conv(filters, 1, style, f"{name}_shortcut")(x)
    return hidden + nearest_upsample(shortcut)


def first_discriminator_block(images, filters, style, name):
    """3x3-ReLU-3x3-pool plus pool-1x1: `(B, H/2, W/2, filters)`."""
    hidden = conv(filters, 3, style, f"{name}_conv1")(images)
    hidden = _relu(hidden, style, f"{name}_relu1")
    hidden = _conv(DownsampleConv2D, filters, style, f"{name}_conv2")(hidden)
    shortcut = conv(filters, 1, style, f"{name}_shortcut")(average_pool(images))
    return hidden + shortcut


def discriminator_block(x, filters, downsample, activated_shortcut, style, name):
    """ReLU-3x3-ReLU-3x3-(pool) plus (1x1 if needed)-(pool).

    The shortcut's pooling runs before its 1x1 convolution, which commutes. It sees
    `x`, or `relu(x)` with `activated_shortcut`.
    """
    hidden = _relu(x, style, f"{name}_relu1")
    shortcut = hidden if activated_shortcut else x
    hidden = conv(filters, 3, style, f"{name}_conv1")(hidden)
    hidden = _relu(hidden, style, f"{name}_relu2")
    if downsample:
        hidden = _conv(DownsampleConv2D, filters, style, f"{name}_conv2")(hidden)
        shortcut = average_pool(shortcut)
    else:
        hidden = conv(filters, 3, style, f"{name}_conv2")(hidden)
    if downsample or x.shape[-1] != filters:
        shortcut = conv(filters, 1, style, f"{name}_shortcut")(shortcut)
    return hidden + shortcut


def attention_block(x, style):
    """Self-attention, or its residual control, named after the pixel size."""
    name = f"attention_{x.shape[1]}"
    shared = {
        "kernel_initializer": style.kernel_initializer,
        "spectral_norm": style.spectral_norm,
        "dtype": style.dtype,
        "name": name,
    }
    if style.attention == "residual":
        return GatedResidual2D(**shared)(x)
    return SelfAttention2D(**ATTENTION_SETTINGS[style.attention], **shared)(x)


def normalize(x, labels, style, name):
    """Conditional batch norm, or a plain affine one when `labels` is None."""
    shared = {
        "momentum": style.batch_norm_momentum,
        "epsilon": style.batch_norm_epsilon,
        "synchronized": style.synchronized,
        "dtype": style.dtype,
        "name": name,
    }
    if labels is None:
        return BatchNormalization(**shared)(x)
    return ConditionalBatchNormalization(style.num_classes, **shared)([x, labels])


def conv(filters, kernel_size, style, name):
    """SAME convolution with a bias, spectrally normalised if wanted."""
    layer = Conv2D(
        filters,
        kernel_size,
        padding="same",
        kernel_initializer=style.kernel_initializer,
        dtype=style.dtype,
        name=name,
    )
    return _normalized(layer, style)


def dense(units, style, name):
    """Dense layer with a bias, spectrally normalised if wanted."""
    layer = keras.layers.Dense(
        units, kernel_initializer=style.kernel_initializer, dtype=style.dtype, name=name
    )
    return _normalized(layer, style)


def embedding(num_classes, size, style, name):
    """Embedding of integer labels, spectrally normalised if wanted."""
    layer = keras.layers.Embedding(
        num_classes,
        size,
        embeddings_initializer=style.kernel_initializer,
        dtype=style.dtype,
        name=name,
    )
    return _normalized(layer, style)


def _conv(kind, filters, style, name):
    layer = kind(
        filters,
        kernel_initializer=style.kernel_initializer,
        dtype=style.dtype,
        name=name,
    )
    return _normalized(layer, style)


def _normalized(layer, style):
    """`layer`, in a `SpectralNormalization` of its name if the style says so."""
    if not style.spectral_norm:
        return layer
    return SpectralNormalization(layer, name=layer.name)


def _relu(x, style, name):
    return keras.layers.ReLU(dtype=style.dtype, name=name)(x)
