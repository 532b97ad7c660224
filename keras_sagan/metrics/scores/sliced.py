"""MIND, the Monge Inception distance: optimal transport along random directions."""

import numpy as np

from keras_sagan import progress
from keras_sagan.metrics.counts import check_count
from keras_sagan.metrics.scores.bootstrap import half_masks
from keras_sagan.metrics.scores.checks import check_features, check_pair

_AT_ONCE = 16  # directions


def monge_distance(
    real: np.ndarray,
    fake: np.ndarray,
    projections: int = 1000,
    seed: int = 2020,
    directions: np.ndarray | None = None,
) -> float:
    """3 dimensions times the squared sliced 2-Wasserstein distance.

    Along a random direction u the optimal transport between two sets of n points pairs
    them in their order, so the squared distance is the mean of
    (sort(u.x)_j - sort(u.y)_j)^2; the score is its mean over the directions, times 3
    dimensions. Nothing is taken for Gaussian, no covariance is needed, and the set may
    be smaller than the number of dimensions. It is biased: finite sets of one
    distribution are at a distance of the order 1 / n, so compare equally many images.

    Directions are projected a few at a time: memory is that of a few projections.

    Args:
        real: array `(n, dimensions)`.
        fake: array `(m, dimensions)`. Of the larger set min(n, m) are taken.
        projections: int. Directions. Defaults to `1000` (source: torch-fidelity).
        seed: int. Of the directions and that choice.
        directions: array `(projections, dimensions)` of unit vectors in place of
            random ones, or `None`.

    Returns: float >= 0.

    Raises:
        ValueError: if the features are not as described.

    Reference: [Berthet et al., 2026](https://arxiv.org/abs/2605.06797).
    """
    return float(monge_distances(real, fake, projections, seed, directions)[0])


def monge_distances(real, fake, projections=1000, seed=2020, directions=None, halves=0):
    """`monge_distance` of random halves; the points are sorted once for all.

    Args:
        real, fake, projections, seed, directions: see `monge_distance`.
        halves: int. Pairs of random halves of the two sets; 0 for one pair of all.

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
