"""A convolution and a gate that attention and its control share."""

import zlib

import keras

from keras_sagan.layers.spectral_normalization import SpectralNormalization


def projection(parent, filters, size, name, initializer, spectral_norm=True):
    """A bias-free convolution of `parent`, in its dtype policy.

    Args:
        parent: layer.
        filters: int > 0.
        size: int > 0. Height and width of the kernel.
        name: str.
        initializer: `keras.initializers.Initializer` of the kernels of `parent`. Each
            draws from its own: with one object for two kernels they would be equal.
        spectral_norm: bool.
    """
    conv = keras.layers.Conv2D(
        filters,
        size,
        padding="same",
        use_bias=False,
        kernel_initializer=_own(initializer, name),
        dtype=parent.dtype_policy,
        name=name,
    )
    return SpectralNormalization(conv, name=name) if spectral_norm else conv


def _own(initializer, name):
    """An initializer that draws other numbers than those of other names."""
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    seed = config.get("seed", {})
    if isinstance(seed, dict):  # nothing random, or a `SeedGenerator`, which counts
        return initializer
    if seed is not None:
        config["seed"] = seed + zlib.crc32(name.encode())
    return type(initializer).from_config(config)


def add_gate(layer):
    """The scalar `gamma` of `layer`, initially 0."""
    return layer.add_weight(name="gamma", shape=(), initializer="zeros")
