"""Converts tensors from PyTorch's layout to Keras's, and computes spectral norms.

PyTorch puts channels first and the outputs of a layer on axis 0; Keras puts both last.
All functions take and return NumPy arrays.
"""

import math

import numpy as np


def conv_kernel(weight):
    """Transposes `(out, in, height, width)` to `(height, width, in, out)`."""
    return weight.transpose(2, 3, 1, 0)


def conv_v(v, kernel_shape):
    """Reorders the right singular vector of a convolution.

    Args:
        v: array `(in * height * width,)` in the order (in, height, width).
        kernel_shape: shape of the Keras kernel, `(height, width, in, out)`.

    Returns: array of the same shape in the order (height, width, in).
    """
    height, width, channels, _ = kernel_shape
    return v.reshape(channels, height, width).transpose(1, 2, 0).ravel()


def channels_last(vector, size):
    """Reorders a flattened `(channels, size, size)` to `(size, size, channels)`.

    Args:
        vector: array `(channels * size * size, ...)`; further axes are left alone.
        size: int. Height and width in pixels.
    """
    rest = vector.shape[1:]
    split = vector.reshape(-1, size, size, *rest)
    return np.moveaxis(split, 0, 2).reshape(vector.shape)


def matrix(weight):
    """Reshapes a PyTorch weight to the matrix of its spectral norm, `(out, rest)`."""
    return weight.reshape(weight.shape[0], math.prod(weight.shape[1:]))


def normalized(weight, u, v):
    """Returns `weight / (u^T W v)`, with the stored vectors `u` and `v`."""
    return weight / (u @ (matrix(weight) @ v))


def power_iteration(rows, u):
    """Runs one power iteration from `u`, for sources that store no second vector.

    Args:
        rows: array `(out, rest)`, the weight as a matrix.
        u: array `(out,)`.

    Returns: tuple of the next `u` `(out,)` and `v` `(rest,)`.
    """
    v = unit(rows.T @ u)
    return unit(rows @ v), v


def unit(vector):
    """Returns `vector / |vector|`, or zeros for a vector of zeros."""
    norm = np.linalg.norm(vector)
    return vector / norm if norm > 0 else vector
