"""Computes the Frechet distance between sets of features, assumed to be Gaussian."""

import numpy as np

from keras_sagan.metrics.moments import Moments
from keras_sagan.metrics.scores.checks import check_features

# Below this ratio of pivots, a Cholesky factor is mostly rounding error.
_WORST_PIVOT = 1e-6

# Error of the trace, relative to both variances, up to which it does not matter.
_VISIBLE = 1e-9


def frechet_distance(
    real: np.ndarray | Moments, fake: np.ndarray | Moments, allow_few: bool = False
) -> float:
    """Computes `|m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2))` in float64.

    With S1 = L1 L1' and S2 = L2 L2', the last trace is the sum of the singular values
    of L1' L2. This needs no square root of a matrix that is not symmetric, and is exact
    up to rounding even if a covariance is singular, so that two equal sets have
    distance 0. Only with features of the FID network may the value be called FID.

    Args:
        real: array `(n, dimensions)`, or `Moments`.
        fake: array `(m, dimensions)`, or `Moments`.
        allow_few: bool. Whether a set may have no more images than dimensions. Its
            covariance is singular then, and the distance far too large.

    Returns: float >= 0.

    Raises:
        ValueError: if the features are not as described, or if there are too few.

    Reference: [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), section 3.
    """
    real, fake = _opened("real", real), _opened("fake", fake)
    _check_comparable(real, fake, allow_few)
    real, fake = _moments("real", real), _moments("fake", fake)
    difference = real.mean - fake.mean
    variance = real.variance.sum() + fake.variance.sum()
    root = trace_of_root(real.covariance, fake.covariance)
    return max(float(difference @ difference + variance - 2 * root), 0.0)


def trace_of_root(first, second):
    """Computes tr((first second)^(1/2)) of two covariance matrices."""
    visible = _VISIBLE * (np.trace(first) + np.trace(second))
    return _sum_of_singular_values(_factor(first), _factor(second), visible)


def _sum_of_singular_values(first, second, visible):
    """Computes the sum of the singular values of P = first' second of two factors.

    They are the roots of the eigenvalues of P P', which are four times faster to
    compute but have errors of d eps max(s^2). If that could be visible in the sum, the
    singular values themselves are computed.
    """
    product = first.T @ second
    # The matrix is symmetric; transposed, it has the memory layout of LAPACK.
    squares = np.maximum(np.linalg.eigvalsh((product @ product.T).T), 0)
    off = len(squares) * np.finfo(np.float64).eps * squares[-1]
    error = (np.sqrt(squares + off) - np.sqrt(np.maximum(squares - off, 0))).sum()
    if error <= visible:
        return float(np.sqrt(squares).sum())
    return float(np.linalg.svd(product, compute_uv=False).sum())


def _factor(covariance):
    """Returns L with L L' = covariance, by eigenvectors if Cholesky is not possible."""
    try:
        factor = np.linalg.cholesky(covariance.T)
        pivots = np.diagonal(factor)
        if pivots.min() > _WORST_PIVOT * pivots.max():
            return factor
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(covariance)
    smallest = len(values) * np.finfo(np.float64).eps * max(values[-1], 0.0)
    return vectors * np.sqrt(np.where(values > smallest, values, 0.0))


def _opened(name, features):
    """Returns `Moments`, or an array whose values `_moments` will check."""
    if isinstance(features, Moments):
        return features
    return check_features(name, features, at_least=2, finite=False)


def _moments(name: str, features: np.ndarray | Moments) -> Moments:
    return features if isinstance(features, Moments) else Moments.of(features, name)


def _check_comparable(real, fake, allow_few):
    (m, real_dimensions), (n, fake_dimensions) = (
        (x.count, x.dimensions) if isinstance(x, Moments) else x.shape
        for x in (real, fake)
    )
    if real_dimensions != fake_dimensions:
        raise ValueError(
            "`real` and `fake` must be features of the same extractor. Received: "
            f"{real_dimensions} and {fake_dimensions} dimensions."
        )
    check_counts(m, n, real_dimensions, allow_few)


def check_counts(real_count, fake_count, dimensions, allow_few):
    """Raises a `ValueError` if there are too few images for a useful distance.

    Args:
        real_count, fake_count: int. Number of images, or `None` if unknown.
        dimensions: int. Number of dimensions of the features, or `None` if unknown.
        allow_few: bool. See `frechet_distance`.
    """
    if allow_few or dimensions is None:
        return
    for name, count in (("real", real_count), ("fake", fake_count)):
        if count is not None and count <= dimensions:
            raise ValueError(
                f"`{name}` must have more images than the {dimensions} dimensions of "
                "the features, because the covariance of fewer is singular and the "
                "distance mostly bias. Use more images, or the kernel distance (kid), "
                "which has no such bias, or pass allow_few=True (--allow-few) to "
                f"compute it anyway. Received: {count} images."
            )
