"""The Frechet distance between two sets of features, each taken for Gaussian."""

import numpy as np

from keras_sagan.metrics.checks import check_features
from keras_sagan.metrics.moments import Moments

# Below this ratio of pivots a Cholesky factor is mostly rounding error.
_WORST_PIVOT = 1e-6

# Largest error of the trace, relative to both variances, that does not matter.
_VISIBLE = 1e-9

# Sums of products in float32 (`Moments.in_float32`) are tried from so many products on,
_LARGE = 1 << 34
# and trusted where this much of every variance, as an error, could not be seen, ...
_ROUNDING, _TOLERANCE = 2e-7, 2e-5
# ... where no feature is so nearly a sum of others (the rest, as part of its variance),
_DEPENDENT = 1e-4
# and where squares are far from the smallest number of float32.
_TINY = 1e-25


def frechet_distance(real, fake, allow_few=False):
    """|m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2)).

    With S1 = L1 L1' and S2 = L2 L2' the last trace is the sum of the singular values
    of L1' L2. That needs no square root of a matrix that is not symmetric, and stays
    exact to rounding where a covariance is singular: two equal sets are at distance
    0. Only with features of the FID network may the value be called FID.

    Everything is float64, but for large float32 arrays, whose products are summed in
    float32 where an estimate of the error says that the distance is right to 2e-5 of
    itself (measured: below 1e-5); else they are summed again in float64, as they are
    for nearly equal sets and singular covariances.

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
    real, fake = _opened("real", real), _opened("fake", fake)
    _check_comparable(real, fake, allow_few)
    distance = None
    if _is_large(real) or _is_large(fake):
        distance = _in_float32(real, fake)
    if distance is None:
        moments = _exact("real", real), _exact("fake", fake)
        distance = _distance(*moments, *(_factor(x.covariance) for x in moments))
    return max(distance, 0.0)


def trace_of_root(first, second):
    """tr((first second)^(1/2)) of two covariance matrices."""
    visible = _VISIBLE * (np.trace(first) + np.trace(second))
    return _sum_of_singular_values(_factor(first), _factor(second), visible)


def _sum_of_singular_values(first, second, visible):
    """Of the product P = first' second of two factors.

    They are the roots of the eigenvalues of P P', which are four times quicker to
    have but off by d eps max(s^2). Where that could be seen in the sum they are
    computed as singular values.
    """
    product = first.T @ second
    # Transposed, the matrix is as LAPACK wants it; it is symmetric.
    squares = np.maximum(np.linalg.eigvalsh((product @ product.T).T), 0)
    off = len(squares) * np.finfo(np.float64).eps * squares[-1]
    error = (np.sqrt(squares + off) - np.sqrt(np.maximum(squares - off, 0))).sum()
    if error <= visible:
        return float(np.sqrt(squares).sum())
    return float(np.linalg.svd(product, compute_uv=False).sum())


def _factor(covariance):
    """L with L L' = covariance: Cholesky's, or by eigenvectors where singular."""
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


def _in_float32(real, fake):
    """The distance from sums in float32; `None` where they may not be enough.

    An error e of a variance v1 moves the distance by e |1 - (v2 / v1)^(1/2)|, where
    v1 and v2 are what is left of it when other features are known: squared pivots.
    """
    large = [_is_large(x) for x in (real, fake)]
    pair = [
        Moments.in_float32(x) if is_large else _exact(name, x)
        for name, x, is_large in zip(("real", "fake"), (real, fake), large, strict=True)
    ]
    variances = [moments.variance for moments in pair]
    if not all(np.isfinite(x).all() and x.min() > _TINY for x in variances):
        return None
    try:
        factors = [np.linalg.cholesky(moments.covariance.T) for moments in pair]
    except np.linalg.LinAlgError:
        return None
    left = [np.diagonal(x) ** 2 for x in factors]
    if any((a < _DEPENDENT * b).any() for a, b in zip(left, variances, strict=True)):
        return None
    distance = _distance(*pair, *factors)
    ratio = np.sqrt(left[1] / left[0])
    moved = [
        variances[0] @ np.maximum(1, ratio),
        variances[1] @ np.maximum(1, 1 / ratio),
    ]
    error = _ROUNDING * (large @ np.array(moved))
    return distance if error <= _TOLERANCE * distance else None


def _distance(real, fake, real_factor, fake_factor):
    """The distance from the moments of both and factors of their covariances."""
    difference = real.mean - fake.mean
    variance = real.variance.sum() + fake.variance.sum()
    root = _sum_of_singular_values(real_factor, fake_factor, _VISIBLE * variance)
    return float(difference @ difference + variance - 2 * root)


def _is_large(features):
    """Whether sums in float32 are worth a try; they are not for singular ones."""
    if isinstance(features, Moments) or features.dtype != np.float32:
        return False
    count, dimensions = features.shape
    return count > dimensions and count * dimensions**2 >= _LARGE


def _opened(name, features):
    """`Moments`, or an array whose values are yet to be checked: `_exact` does."""
    if isinstance(features, Moments):
        return features
    return check_features(name, features, at_least=2, finite=False)


def _exact(name, features):
    return features if isinstance(features, Moments) else Moments.of(features, name)


def _check_comparable(real, fake, allow_few):
    (m, real_dimensions), (n, fake_dimensions) = (
        (x.count, x.dimensions) if isinstance(x, Moments) else x.shape
        for x in (real, fake)
    )
    if real_dimensions != fake_dimensions:
        raise ValueError(
            "`real` and `fake` must be features of one extractor. Received: "
            f"{real_dimensions} and {fake_dimensions} dimensions."
        )
    for name, count in (("real", m), ("fake", n)):
        if count is not None and count <= real_dimensions and not allow_few:
            raise ValueError(
                f"`{name}` must have more images than the {real_dimensions} "
                "dimensions of the features, or the distance is mostly bias; pass "
                "allow_few=True to have it all the same, or use the kernel "
                f"distance, which has none. Received: {count} images."
            )
