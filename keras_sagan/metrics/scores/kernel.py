"""Computes kernel distances (squared MMD) with the cubic and the Gaussian kernel."""

from typing import NamedTuple

import numpy as np

from keras_sagan import progress
from keras_sagan.metrics.counts import check_count
from keras_sagan.metrics.scores import neighbours
from keras_sagan.metrics.scores.checks import check_features, check_pair

_BLOCK = 2048  # rows and columns of a kernel matrix that are computed at once


class KernelDistance(NamedTuple):
    """The distance and its standard deviation over subsets (0 without subsets)."""

    mean: float
    deviation: float


def kernel_distance(
    real: np.ndarray,
    fake: np.ndarray,
    subsets: int | None = 100,
    subset_size: int = 1000,
    seed: int = 2020,
) -> KernelDistance:
    """Computes an unbiased estimate of MMD^2 with the kernel (x.y / dimensions + 1)^3.

    With features of the FID network, it is the kernel Inception distance (KID). Its
    expectation does not depend on the number of images. A value slightly below 0 means
    that the sets cannot be told apart.

    Args:
        real: array `(n, dimensions)`.
        fake: array `(m, dimensions)`.
        subsets: int. Number of subsets, or `None` for a single estimate from all images
            (n * m kernels, in bounded memory). Defaults to `100` (source:
            torch-fidelity).
        subset_size: int. Number of images of each set in a subset, drawn without
            repetition. Defaults to `1000` (source: torch-fidelity).
        seed: int. Seed of the subsets, which are drawn as in torch-fidelity (input 1:
            fake).

    Returns: `KernelDistance`.

    Raises:
        ValueError: if there are fewer images than `subset_size`, or if the features are
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
    """Computes an unbiased estimate of MMD^2 with a Gaussian kernel.

    The kernel is `exp(-|x - y|^2 / (2 bandwidth^2))`. Unlike MMD^2 with the cubic
    kernel, it is 0 for equal distributions only. All pairs are used, in bounded memory.
    Products are computed in float32, from features centred on the mean of `real`, and
    sums in float64.

    Args:
        real: array `(n, dimensions)`.
        fake: array `(m, dimensions)`.
        bandwidth: float, or `None` for `median_bandwidth(real)`. The paper uses 10, for
            CLIP features of norm 1, and multiplies values by 1000.

    Returns: float, at most 2. It is slightly below 0 if the sets cannot be told apart.

    Raises:
        ValueError: if the features are not as described, or if `bandwidth` is not
            above 0.

    References:
        - [Gretton et al., 2012](https://jmlr.org/papers/v13/gretton12a.html), lemma 6.
        - [Jayasumana et al., 2024](https://arxiv.org/abs/2401.09603), on images.
    """
    real, fake = check_pair(real, fake, at_least=2)
    (value,) = discrepancy(real, fake, Gaussian.of(real, bandwidth), track=True)
    return float(value)


def median_bandwidth(features: np.ndarray, at_most: int = 1000, seed: int = 0) -> float:
    """Returns the median distance of pairs of at most `at_most` images, or 1 if 0."""
    features = check_features("features", features, at_least=2)
    if len(features) > at_most:
        generator = np.random.default_rng(seed)
        features = features[generator.choice(len(features), at_most, replace=False)]
    (cloud,) = neighbours.clouds(features)
    squares, _ = neighbours.squared_distances(cloud, cloud, slice(None))
    pairs = squares[np.triu_indices(len(features), 1)]
    return float(np.sqrt(np.median(pairs))) or 1.0


def check_subsets(real_count, fake_count, subsets, subset_size):
    """Raises a `ValueError` unless the sets have enough images for the subsets."""
    if subsets is None:
        return
    check_count("subsets", subsets, 1)
    most = min(real_count, fake_count)
    why = " (the size of the smaller set)"
    check_count("subset_size", subset_size, 2, most, why)


class Cubic:
    """The kernel (x.y / dimensions + 1)^3, in float64."""

    dtype, origin = np.float64, 0.0

    def __call__(self, products, first, second, dimensions):
        """Turns products into values of the kernel, in place.

        Args:
            products: array of x.y.
            first, second: arrays of x.x and y.y that broadcast to `products`.
            dimensions: int. Number of dimensions of the features.
        """
        products /= dimensions
        products += 1
        squares = products * products
        products *= squares


class Gaussian:
    """The kernel exp(-|x - y|^2 / (2 bandwidth^2)), in float32 relative to an origin.

    Args:
        bandwidth: float.
        origin: array `(dimensions,)` of a point near all features.
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
        """Creates the kernel for a set of real images."""
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
    """Computes the unbiased MMD^2 of subsets of two sets in one pass over all pairs.

    Args:
        a: array `(n, dimensions)`.
        b: array `(m, dimensions)`.
        kernel: `Cubic` or `Gaussian`.
        a_rows: bool array `(subsets, n)` with the rows of each subset, or `None` for a
            single one with all rows.
        b_rows: bool array `(subsets, m)`, or `None`, in the same way.
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
        if kind == 2 or j >= i  # within a set, the blocks are symmetric
    ]
    if track:
        jobs = progress.track(jobs, len(jobs), "kernel distance", "blocks")
    sums = np.zeros((3, len(rows[0])))
    for kind, x, y, i, j in jobs:
        first, second = _block((a, b)[x], i, kernel), _block((a, b)[y], j, kernel)
        kernels = _kernels(first, second, kernel)
        if kind < 2 and i == j:
            np.fill_diagonal(kernels, 0)  # an image and itself are not a pair
        part = _sums(kernels, _columns(rows[x], i), _columns(rows[y], j))
        sums[kind] += part if kind == 2 or i == j else 2 * part
    n, m = (x.sum(axis=1) for x in rows)
    return sums[0] / (n * (n - 1)) + sums[1] / (m * (m - 1)) - 2 * sums[2] / (n * m)


def _kernels(x, y, kernel):
    """Computes the kernel of all pairs of two blocks."""
    products = x @ y.T
    first, second = (np.einsum("nd,nd->n", z, z) for z in (x, y))
    kernel(products, first[:, None], second, x.shape[1])
    return products


def _sums(kernels, left, right):
    """Sums over the pairs of rows of each subset."""
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
