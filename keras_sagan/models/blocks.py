"""The residual blocks of the two networks, as functions on symbolic tensors.

`Style` holds the settings that all layers of a network share, so that a block takes
only those arguments that differ between blocks.
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
    """Settings that all layers of a network share."""

    kernel_initializer: str
    attention: str
    dtype: object
    num_classes: int | None = None
    synchronized: bool = False
    batch_norm_momentum: float = 0.999
    batch_norm_epsilon: float = 1e-5
    spectral_norm: bool = True


def generator_block(x, labels, filters, style, name):
    """Applies BN-ReLU-up-3x3-BN-ReLU-3x3 and adds the shortcut up-1x1.

    The 1x1 convolution of the shortcut runs before the upsampling. The two commute,
    and it has a quarter of the pixels there.

    Returns: tensor `(B, 2H, 2W, filters)`.
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
    """Applies 3x3-ReLU-3x3-pool to images and adds the shortcut pool-1x1.

    Returns: tensor `(B, H/2, W/2, filters)`.
    """
    hidden = conv(filters, 3, style, f"{name}_conv1")(images)
    hidden = _relu(hidden, style, f"{name}_relu1")
    hidden = _conv(DownsampleConv2D, filters, style, f"{name}_conv2")(hidden)
    shortcut = conv(filters, 1, style, f"{name}_shortcut")(average_pool(images))
    return hidden + shortcut


def discriminator_block(x, filters, downsample, activated_shortcut, style, name):
    """Applies ReLU-3x3-ReLU-3x3-(pool) and adds the shortcut (1x1 if needed)-(pool).

    The pooling of the shortcut runs before its 1x1 convolution; the two commute. The
    input of the shortcut is `x`, or `relu(x)` with `activated_shortcut`.

    Returns: tensor `(B, H/2, W/2, filters)`, or `(B, H, W, filters)` if not
        `downsample`.
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
    """Applies self-attention or its residual control, named after the height of `x`."""
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
    """Applies conditional batch norm, or a plain affine one if `labels` is None."""
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
    """Creates a SAME convolution with a bias, spectrally normalised if so styled."""
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
    """Creates a dense layer with a bias, spectrally normalised if so styled."""
    layer = keras.layers.Dense(
        units, kernel_initializer=style.kernel_initializer, dtype=style.dtype, name=name
    )
    return _normalized(layer, style)


def embedding(num_classes, size, style, name):
    """Creates an embedding of integer labels, spectrally normalised if so styled."""
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
    """Wraps `layer` in a `SpectralNormalization` of the same name if so styled."""
    if not style.spectral_norm:
        return layer
    return SpectralNormalization(layer, name=layer.name)


def _relu(x, style, name):
    return keras.layers.ReLU(dtype=style.dtype, name=name)(x)
