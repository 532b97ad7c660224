"""Computes precision, recall, density and coverage from nearest neighbours."""

import numpy as np

from keras_sagan.metrics.counts import check_count
from keras_sagan.metrics.scores import neighbours
from keras_sagan.metrics.scores.checks import check_pair


def precision_recall_density_coverage(
    real: np.ndarray, fake: np.ndarray, nearest_k: int = 5
) -> dict[str, float]:
    """Measures how much of `fake` is realistic, and how much of `real` is covered.

    Each member of a set has a ball that reaches to its k-th nearest other member. A
    point is inside the set if it is inside such a ball, and not on its surface (as in
    the package prdc; the paper on precision and recall includes the surface).

    - precision: share of the fake points inside the real set.
    - recall: share of the real points inside the fake set.
    - density: mean number of real balls around a fake point, divided by k.
    - coverage: share of the real points whose ball contains a fake point.

    Distances are exact to float64, and memory is bounded for all n and m.

    Args:
        real: array `(n, dimensions)`.
        fake: array `(m, dimensions)`.
        nearest_k: int. The number k. Defaults to `5` (source: example of prdc; the
            paper on precision and recall uses 3).

    Returns: dict from the four names to float.

    Raises:
        ValueError: if a set has no more than `nearest_k` images, or if the features are
            not as described.

    References:
        - [Kynkaanniemi et al., 2019](https://arxiv.org/abs/1904.06991)
        - [Naeem et al., 2020](https://arxiv.org/abs/2002.09797)
    """
    real, fake = check_pair(real, fake)
    check_nearest_k(nearest_k, len(real), len(fake))
    a, b = neighbours.clouds(real, fake)
    real_radii = neighbours.squared_radii(a, nearest_k)
    fake_radii = neighbours.squared_radii(b, nearest_k)
    around_fake = np.zeros(len(fake), np.int64)
    recalled, covered = np.empty(len(real), bool), np.empty(len(real), bool)
    for rows in a.track_blocks(len(b)):
        distances, bound = neighbours.squared_distances(a, b, rows)
        inside = _below(distances, bound, real_radii[rows, None], a, b, rows)
        around_fake += inside.sum(axis=0)
        covered[rows] = inside.any(axis=1)
        inside = _below(distances, bound, fake_radii[None], a, b, rows)
        recalled[rows] = inside.any(axis=1)
    return {
        "precision": float((around_fake > 0).mean()),
        "recall": float(recalled.mean()),
        "density": float(around_fake.mean() / nearest_k),
        "coverage": float(covered.mean()),
    }


def check_nearest_k(nearest_k, real_count, fake_count):
    """Raises a `ValueError` unless points of both sets have `nearest_k` neighbours."""
    most = min(real_count, fake_count) - 1
    why = " (one less than the size of the smaller set)"
    check_count("nearest_k", nearest_k, 1, most, why)


def _below(distances, bound, limits, a, b, rows):
    """Returns where squared distances are below `limits`, exactly: bool array."""
    below = distances < (limits - bound).astype(np.float32)
    open_cases = distances <= np.nextafter((limits + bound).astype(np.float32), np.inf)
    open_cases &= ~below
    i, j = np.nonzero(open_cases)
    exact = neighbours.exact_squared_distances(a, b, i + rows.start, j)
    below[i, j] = exact < np.broadcast_to(limits, below.shape)[i, j]
    return below
