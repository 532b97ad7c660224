"""A convolution and a gate that attention and its control share."""

import keras

from keras_sagan.layers.spectral_normalization import SpectralNormalization


def projection(parent, filters, size, name, initializer, spectral_norm=True):
    """A bias-free convolution of `parent`, in its dtype policy."""
    conv = keras.layers.Conv2D(
        filters,
        size,
        padding="same",
        use_bias=False,
        kernel_initializer=initializer,
        dtype=parent.dtype_policy,
        name=name,
    )
    return SpectralNormalization(conv, name=name) if spectral_norm else conv


def add_gate(layer):
    """The scalar `gamma` of `layer`, initially 0."""
    return layer.add_weight(name="gamma", shape=(), initializer="zeros")
