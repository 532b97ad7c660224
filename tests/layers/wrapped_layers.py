"""Layers that spectral normalisation wraps, and their kernels as NumPy matrices."""

import dataclasses
import typing

import keras
import numpy as np

from keras_sagan.layers import DownsampleConv2D, UpsampleConv2D

CLASSES = 7  # rows of the embedding


@dataclasses.dataclass(frozen=True)
class Kind:
    """A layer to wrap: how to make it, what it eats, where its outputs are."""

    make: typing.Callable
    input_shape: tuple
    out_axis: int = -1

    def inputs(self, batch=2):
        if not self.input_shape:
            return (np.arange(batch) * 3 % CLASSES).astype("int32")
        rng = np.random.default_rng(0)
        return rng.normal(size=(batch, *self.input_shape)).astype("float32")

    def matrix(self, kernel):
        """`(rest, out)`, written independently of the package."""
        kernel = np.moveaxis(np.asarray(kernel), self.out_axis, -1)
        return kernel.reshape(-1, kernel.shape[-1])


def _kinds():
    layers = keras.layers
    return {
        "Dense": Kind(lambda **kw: layers.Dense(5, **kw), (6,)),
        "Conv1D": Kind(lambda **kw: layers.Conv1D(5, 3, **kw), (6, 2)),
        "Conv2D": Kind(
            lambda **kw: layers.Conv2D(5, 3, padding="same", **kw), (4, 6, 2)
        ),
        "Conv3D": Kind(lambda **kw: layers.Conv3D(3, 2, **kw), (3, 3, 4, 2)),
        "Conv1DTranspose": Kind(
            lambda **kw: layers.Conv1DTranspose(5, 3, **kw), (6, 2), out_axis=-2
        ),
        "Conv2DTranspose": Kind(
            lambda **kw: layers.Conv2DTranspose(5, 3, strides=2, **kw),
            (4, 6, 2),
            out_axis=-2,
        ),
        "Conv3DTranspose": Kind(
            lambda **kw: layers.Conv3DTranspose(3, 2, **kw), (3, 3, 4, 2), out_axis=-2
        ),
        "Embedding": Kind(
            lambda **kw: layers.Embedding(CLASSES, 4, **kw), (), out_axis=0
        ),
        "UpsampleConv2D": Kind(lambda **kw: UpsampleConv2D(5, **kw), (3, 4, 2)),
        "DownsampleConv2D": Kind(lambda **kw: DownsampleConv2D(5, **kw), (6, 4, 2)),
    }


KINDS = _kinds()


def kernel_of(layer):
    """The stored kernel variable of a wrapped or bare layer."""
    layer = getattr(layer, "layer", layer)
    return layer.embeddings if hasattr(layer, "embeddings") else layer.kernel


def largest_singular_value(matrix):
    return np.linalg.svd(matrix, compute_uv=False)[0]
