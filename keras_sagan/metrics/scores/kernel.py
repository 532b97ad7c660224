"""The kernel distance (squared maximum mean discrepancy), cubic kernel."""

from typing import NamedTuple

import numpy as np

from keras_sagan import progress
from keras_sagan.metrics.counts import check_count
from keras_sagan.metrics.scores.checks import check_pair

_BLOCK = 2048  # rows of a kernel matrix that are computed at once


class KernelDistance(NamedTuple):
    """The distance, and its standard deviation over subsets (0 without subsets)."""

    mean: float
    deviation: float


def kernel_distance(
    real: np.ndarray,
    fake: np.ndarray,
    subsets: int | None = 100,
    subset_size: int = 1000,
    seed: int = 2020,
) -> KernelDistance:
    """Unbiased estimate of MMD^2 with the kernel (x.y / dimensions + 1)^3.

    With features of the FID network it is the kernel Inception distance (KID). Its
    expectation does not depend on the number of images; a value slightly below 0
    means that the sets cannot be told apart.

    Args:
        real: array `(n, dimensions)`.
        fake: array `(m, dimensions)`.
        subsets: int, or `None` for one estimate from all images (n * m kernels, in
            bounded memory). Defaults to `100` (source: torch-fidelity).
        subset_size: int. Images of either set in a subset, drawn without repetition.
            Defaults to `1000` (source: torch-fidelity).
        seed: int. Of the subsets. The draws are torch-fidelity's (input 1: fake).

    Returns: `KernelDistance`.

    Raises:
        ValueError: if there are fewer images than `subset_size`, or the features are
            not as described.

    Reference: [Binkowski et al., 2018](https://arxiv.org/abs/1801.01401), section 4.
    """
    real, fake = check_pair(real, fake, at_least=2)
    check_subsets(len(real), len(fake), subsets, subset_size)
    if subsets is None:
        return KernelDistance(_mmd2(real, fake, is_long=True), 0.0)
    generator = np.random.RandomState(seed)
    values = []
    for _ in progress.track(range(subsets), subsets, "kernel distance", "subsets"):
        a = fake[generator.choice(len(fake), subset_size, replace=False)]
        b = real[generator.choice(len(real), subset_size, replace=False)]
        values.append(_mmd2(a, b))
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


def check_subsets(real_count, fake_count, subsets, subset_size):
    """Raises `ValueError` unless sets of so many images have such subsets."""
    if subsets is None:
        return
    check_count("subsets", subsets, 1)
    most = min(real_count, fake_count)
    why = " (the images of the smaller set)"
    check_count("subset_size", subset_size, 2, most, why)


def _mmd2(a, b, is_long=False):
    a, b = a.astype(np.float64), b.astype(np.float64)
    within = sum(
        (_kernel_sum(x, x, is_long) - _diagonal_sum(x)) / (len(x) * (len(x) - 1))
        for x in (a, b)
    )
    return float(within - 2 * _kernel_sum(a, b, is_long) / (len(a) * len(b)))


def _kernel_sum(a, b, is_long):
    total, starts = 0.0, range(0, len(a), _BLOCK)
    if is_long:
        starts = progress.track(starts, len(starts), "kernel distance", "blocks")
    for start in starts:
        total += _cubic(a[start : start + _BLOCK] @ b.T, a.shape[1]).sum()
    return total


def _diagonal_sum(a):
    return _cubic(np.einsum("nd,nd->n", a, a), a.shape[1]).sum()


def _cubic(products, dimensions):
    kernel = products / dimensions + 1
    return kernel * kernel * kernel
