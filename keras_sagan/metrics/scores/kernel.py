"""Kernel distances (squared maximum mean discrepancy): cubic and Gaussian kernel."""

from typing import NamedTuple

import numpy as np

from keras_sagan import progress
from keras_sagan.metrics.counts import check_count
from keras_sagan.metrics.scores import neighbours
from keras_sagan.metrics.scores.checks import check_features, check_pair

_BLOCK = 2048  # rows and columns of a kernel matrix that are computed at once


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
        (value,) = discrepancy(real, fake, Cubic(), track=True)
        return KernelDistance(float(value), 0.0)
    generator = np.random.RandomState(seed)
    values = []
    for _ in progress.track(range(subsets), subsets, "kernel distance", "subsets"):
        a = fake[generator.choice(len(fake), subset_size, replace=False)]
        b = real[generator.choice(len(real), subset_size, replace=False)]
        values.append(discrepancy(a, b, Cubic())[0])
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


def rbf_distance(
    real: np.ndarray, fake: np.ndarray, bandwidth: float | None = None
) -> float:
    """Unbiased estimate of MMD^2 with the kernel `exp(-|x - y|^2 / (2 bandwidth^2))`.

    Unlike the cubic kernel's it is 0 for equal distributions only, whatever their
    moments. All pairs are used, in bounded memory; products are float32, of features
    about the mean of `real`, sums float64.

    Args:
        real: array `(n, dimensions)`.
        fake: array `(m, dimensions)`.
        bandwidth: float, or `None` for `median_bandwidth(real)`. 10 is the paper's,
            for CLIP features of norm 1, where values are multiplied by 1000.

    Returns: float; slightly below 0 where the sets cannot be told apart, at most 2.

    Raises:
        ValueError: if the features are not as described, or `bandwidth` is not above 0.

    References:
        - [Gretton et al., 2012](https://jmlr.org/papers/v13/gretton12a.html), lemma 6.
        - [Jayasumana et al., 2024](https://arxiv.org/abs/2401.09603), on images.
    """
    real, fake = check_pair(real, fake, at_least=2)
    (value,) = discrepancy(real, fake, Gaussian.of(real, bandwidth), track=True)
    return float(value)


def median_bandwidth(features: np.ndarray, at_most: int = 1000, seed: int = 0) -> float:
    """The median distance between two images, of at most so many; 1 if that is 0."""
    features = check_features("features", features, at_least=2)
    if len(features) > at_most:
        generator = np.random.default_rng(seed)
        features = features[generator.choice(len(features), at_most, replace=False)]
    (cloud,) = neighbours.clouds(features)
    squares, _ = neighbours.squared_distances(cloud, cloud, slice(None))
    pairs = squares[np.triu_indices(len(features), 1)]
    return float(np.sqrt(np.median(pairs))) or 1.0


def check_subsets(real_count, fake_count, subsets, subset_size):
    """Raises `ValueError` unless sets of so many images have such subsets."""
    if subsets is None:
        return
    check_count("subsets", subsets, 1)
    most = min(real_count, fake_count)
    why = " (the images of the smaller set)"
    check_count("subset_size", subset_size, 2, most, why)


class Cubic:
    """The kernel (x.y / dimensions + 1)^3, in float64."""

    dtype, origin = np.float64, 0.0

    def __call__(self, products, first, second, dimensions):
        """Turns products into kernels, in place.

        Args:
            products: array of x.y.
            first, second: arrays of x.x and y.y that broadcast to it.
            dimensions: int.
        """
        products /= dimensions
        products += 1
        squares = products * products
        products *= squares


class Gaussian:
    """The kernel exp(-|x - y|^2 / (2 bandwidth^2)), in float32 about an origin.

    Args:
        bandwidth: float.
        origin: array `(dimensions,)`, near all points.
    """

    dtype = np.float32

    def __init__(self, bandwidth, origin):
        if not bandwidth > 0:
            raise ValueError(
                f"`bandwidth` must be above 0. Received: bandwidth={bandwidth!r}."
            )
        self.bandwidth, self.origin = bandwidth, origin

    @classmethod
    def of(cls, real, bandwidth=None):
        """The kernel for these real images."""
        if bandwidth is None:
            bandwidth = median_bandwidth(real)
        return cls(bandwidth, real.mean(axis=0, dtype=np.float64))

    def __call__(self, products, first, second, dimensions):
        """See `Cubic`."""
        products *= 2
        products -= first
        products -= second
        np.minimum(products, 0, out=products)
        products /= 2 * self.bandwidth**2
        np.exp(products, out=products)


def discrepancy(a, b, kernel, a_rows=None, b_rows=None, track=False):
    """Unbiased MMD^2 of subsets of two sets, all subsets in one pass over the pairs.

    Args:
        a: array `(n, dimensions)`.
        b: array `(m, dimensions)`.
        kernel: `Cubic` or `Gaussian`.
        a_rows: bool array `(subsets, n)`, the rows in each; `None` for one of all.
        b_rows: bool array `(subsets, m)`, likewise.
        track: bool. Whether to show progress.

    Returns: float64 array `(subsets,)`.
    """
    rows = [
        np.ones((1, len(x))) if mask is None else mask.astype(np.float64)
        for x, mask in ((a, a_rows), (b, b_rows))
    ]
    jobs = [
        (kind, x, y, i, j)
        for kind, x, y in ((0, 0, 0), (1, 1, 1), (2, 0, 1))
        for i in _starts((a, b)[x])
        for j in _starts((a, b)[y])
        if kind == 2 or j >= i  # within a set the others are the same again
    ]
    if track:
        jobs = progress.track(jobs, len(jobs), "kernel distance", "blocks")
    sums = np.zeros((3, len(rows[0])))
    for kind, x, y, i, j in jobs:
        first, second = _block((a, b)[x], i, kernel), _block((a, b)[y], j, kernel)
        kernels = _kernels(first, second, kernel)
        if kind < 2 and i == j:
            np.fill_diagonal(kernels, 0)  # an image with itself is no pair
        part = _sums(kernels, _columns(rows[x], i), _columns(rows[y], j))
        sums[kind] += part if kind == 2 or i == j else 2 * part
    n, m = (x.sum(axis=1) for x in rows)
    return sums[0] / (n * (n - 1)) + sums[1] / (m * (m - 1)) - 2 * sums[2] / (n * m)


def _kernels(x, y, kernel):
    """The kernels of all pairs of two blocks."""
    products = x @ y.T
    first, second = (np.einsum("nd,nd->n", z, z) for z in (x, y))
    kernel(products, first[:, None], second, x.shape[1])
    return products


def _sums(kernels, left, right):
    """Of each subset: the sum over the pairs of its rows."""
    if len(left) == 1 and left.all() and right.all():
        return kernels.sum(dtype=np.float64)
    return np.einsum("sn,sn->s", left @ kernels, right)


def _block(x, start, kernel):
    rows = x[start : start + _BLOCK]
    return (rows - kernel.origin).astype(kernel.dtype, copy=False)


def _columns(rows, start):
    return rows[:, start : start + _BLOCK]


def _starts(x):
    return range(0, len(x), _BLOCK)
