"""The Frechet distance between two sets of features, each taken for Gaussian."""

import numpy as np

from keras_sagan.metrics.checks import check_features
from keras_sagan.metrics.moments import Moments

# Below this ratio of pivots a Cholesky factor is mostly rounding error.
_WORST_PIVOT = 1e-6

# Largest error of the trace, relative to both variances, that does not matter.
_VISIBLE = 1e-9


def frechet_distance(real, fake, allow_few=False):
    """|m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2)), in float64.

    With S1 = L1 L1' and S2 = L2 L2' the last trace is the sum of the singular values
    of L1' L2. That needs no square root of a matrix that is not symmetric, and stays
    exact to rounding where a covariance is singular: two equal sets are at distance
    0. Only with features of the FID network may the value be called FID.

    Args:
        real: array `(n, dimensions)`, or `Moments`.
        fake: likewise.
        allow_few: bool. Whether fewer images than dimensions + 1 are allowed, for
            which the covariance is singular and the distance far too large.

    Returns: float >= 0.

    Raises:
        ValueError: if the features are not as described, or too few.

    Reference: [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), section 3.
    """
    real, fake = _moments("real", real), _moments("fake", fake)
    if real.dimensions != fake.dimensions:
        raise ValueError(
            "`real` and `fake` must be features of one extractor. Received: "
            f"{real.dimensions} and {fake.dimensions} dimensions."
        )
    for name, moments in (("real", real), ("fake", fake)):
        few = moments.count is not None and moments.count <= moments.dimensions
        if few and not allow_few:
            raise ValueError(
                f"`{name}` must have more images than the {moments.dimensions} "
                "dimensions of the features, or the distance is mostly bias; pass "
                "allow_few=True to have it all the same, or use the kernel "
                f"distance, which has none. Received: {moments.count} images."
            )
    difference = real.mean - fake.mean
    distance = (
        difference @ difference
        + np.trace(real.covariance)
        + np.trace(fake.covariance)
        - 2 * trace_of_root(real.covariance, fake.covariance)
    )
    return max(float(distance), 0.0)


def trace_of_root(first, second):
    """tr((first second)^(1/2)) of two covariance matrices.

    The singular values s of the product P of factors are the roots of the eigenvalues
    of P P', which are four times quicker to have but off by d eps max(s^2). Where
    that could be seen in the trace they are computed as singular values.
    """
    product = _factor(first).T @ _factor(second)
    squares = np.maximum(np.linalg.eigvalsh(product @ product.T), 0)
    off = len(squares) * np.finfo(np.float64).eps * squares[-1]
    error = (np.sqrt(squares + off) - np.sqrt(np.maximum(squares - off, 0))).sum()
    if error <= _VISIBLE * (np.trace(first) + np.trace(second)):
        return float(np.sqrt(squares).sum())
    return float(np.linalg.svd(product, compute_uv=False).sum())


def _factor(covariance):
    """L with L L' = covariance: Cholesky's, or by eigenvectors where singular."""
    try:
        factor = np.linalg.cholesky(covariance)
        pivots = np.diagonal(factor)
        if pivots.min() > _WORST_PIVOT * pivots.max():
            return factor
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(covariance)
    smallest = len(values) * np.finfo(np.float64).eps * max(values[-1], 0.0)
    return vectors * np.sqrt(np.where(values > smallest, values, 0.0))


def _moments(name, features):
    if isinstance(features, Moments):
        return features
    return Moments.of(check_features(name, features, at_least=2), name)
