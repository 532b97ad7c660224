"""From torch's tensor layouts to Keras's, and spectral norms of torch's matrices.

torch keeps channels first and the outputs of a layer on axis 0; Keras keeps channels
and outputs last. All functions take and return NumPy arrays.
"""

import math

import numpy as np


def conv_kernel(weight):
    """`(out, in, height, width)` to `(height, width, in, out)`."""
    return weight.transpose(2, 3, 1, 0)


def conv_v(v, kernel_shape):
    """The right singular vector of a convolution, `(in * height * width,)`.

    Args:
        v: array in the order (in, height, width).
        kernel_shape: shape of the Keras kernel, `(height, width, in, out)`.

    Returns: array in the order (height, width, in).
    """
    height, width, channels, _ = kernel_shape
    return v.reshape(channels, height, width).transpose(1, 2, 0).ravel()


def channels_last(vector, size):
    """Reorders a flattened `(channels, size, size)` to `(size, size, channels)`.

    Args:
        vector: array `(channels * size * size, ...)`; further axes stay as they are.
        size: int. Height and width in pixels.
    """
    rest = vector.shape[1:]
    split = vector.reshape(-1, size, size, *rest)
    return np.moveaxis(split, 0, 2).reshape(vector.shape)


def matrix(weight):
    """A torch weight as its spectral norm sees it: `(axis 0, all other axes)`."""
    return weight.reshape(weight.shape[0], math.prod(weight.shape[1:]))


def normalized(weight, u, v):
    """`weight / (u^T W v)` with the vectors as they are stored."""
    return weight / (u @ (matrix(weight) @ v))


def power_iteration(rows, u):
    """One power iteration from `u`, for sources that store no second vector.

    Args:
        rows: array `(out, rest)`.
        u: array `(out,)`.

    Returns: the next pair `u` `(out,)` and `v` `(rest,)`.
    """
    v = unit(rows.T @ u)
    return unit(rows @ v), v


def unit(vector):
    """`vector / |vector|`; zeros stay zeros."""
    norm = np.linalg.norm(vector)
    return vector / norm if norm > 0 else vector
