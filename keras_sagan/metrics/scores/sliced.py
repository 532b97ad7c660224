"""Computes MIND, the Monge Inception distance, by transport along random directions."""

import numpy as np

from keras_sagan import progress
from keras_sagan.metrics.counts import check_count
from keras_sagan.metrics.scores.bootstrap import half_masks
from keras_sagan.metrics.scores.checks import check_features, check_pair

_AT_ONCE = 16  # directions that are processed at once


def monge_distance(
    real: np.ndarray,
    fake: np.ndarray,
    projections: int = 1000,
    seed: int = 2020,
    directions: np.ndarray | None = None,
) -> float:
    """Computes the squared sliced 2-Wasserstein distance, times 3 and the dimensions.

    Along a random direction u, the optimal transport between two sets of n points pairs
    them in their order. Therefore the squared distance is the mean of
    (sort(u.x)_j - sort(u.y)_j)^2. The score is the mean over all directions, multiplied
    by 3 and the number of dimensions. It neither assumes Gaussians nor needs a
    covariance, and the sets may have fewer images than dimensions. It is biased: two
    finite sets of the same distribution have a distance of order 1 / n, so compare
    equal numbers of images.

    A few directions are processed at a time, which bounds the memory.

    Args:
        real: array `(n, dimensions)`.
        fake: array `(m, dimensions)`. From the larger set, min(n, m) points are taken.
        projections: int. Number of directions. Defaults to `1000` (source:
            torch-fidelity).
        seed: int. Seed of the directions and of the choice of points.
        directions: array `(projections, dimensions)` of unit vectors to use instead of
            random ones, or `None`.

    Returns: float >= 0.

    Raises:
        ValueError: if the features are not as described.

    Reference: [Berthet et al., 2026](https://arxiv.org/abs/2605.06797).
    """
    return float(monge_distances(real, fake, projections, seed, directions)[0])


def monge_distances(real, fake, projections=1000, seed=2020, directions=None, halves=0):
    """Computes `monge_distance` of random halves, for which points are sorted once.

    Args:
        real, fake, projections, seed, directions: see `monge_distance`.
        halves: int. Number of pairs of random halves, or 0 for the two whole sets.

    Returns: float64 array `(halves,)`, or `(1,)`.
    """
    real, fake = check_pair(real, fake)
    check_count("projections", projections, 1)
    generator = np.random.default_rng(seed)
    count = min(len(real), len(fake))
    real, fake = (
        x if len(x) == count else x[np.sort(generator.permutation(len(x))[:count])]
        for x in (real, fake)
    )
    if directions is None:
        directions = generator.standard_normal((projections, real.shape[1]))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    directions = check_features("directions", directions)
    masks = [
        half_masks(count, halves, seed + i) if halves else np.ones((1, count), bool)
        for i in range(2)
    ]
    total = np.zeros(len(masks[0]))
    starts = range(0, len(directions), _AT_ONCE)
    for start in progress.track(starts, len(starts), "MIND", "blocks"):
        part = directions[start : start + _AT_ONCE].astype(real.dtype)
        sorted_sets = [
            _in_order(part @ x.T, mask)
            for x, mask in zip((real, fake), masks, strict=True)
        ]
        for i, (a, b) in enumerate(zip(*sorted_sets, strict=True)):
            difference = a.astype(np.float64) - b
            total[i] += np.einsum("pn,pn->", difference, difference) / a.shape[1]
    return total * 3 * real.shape[1] / len(directions)


def _in_order(values, masks):
    """Yields the sorted values of each subset of columns, row by row."""
    if len(masks) == 1 and masks.all():
        yield np.sort(values, axis=1)
        return
    order = np.argsort(values, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    for mask in masks:
        yield values[mask[order]].reshape(len(values), -1)
