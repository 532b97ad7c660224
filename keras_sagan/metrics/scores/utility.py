"""Estimates accuracies of classifiers and their differences, and says what they mean.

Every classifier is trained several times and tested on the same images, so that there
is an array `(trainings, images)` of what was right. Both the trainings and the images
are a sample of many possible ones, and an interval covers the noise of both.
"""

from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A mean with its confidence interval: three floats."""

    value: float
    low: float
    high: float


def mean_over_trainings(values: np.ndarray, level: float = 0.95) -> Estimate:
    """Estimates the mean of an array of which both rows and columns are samples.

    The variance of the mean is estimated by that of the means of the rows divided by
    their number, plus the same of the columns. It is a little too large, because what
    is neither of the row nor of the column counts twice. The quantile is that of
    Student's distribution with the degrees of freedom of this sum.

    Args:
        values: array `(trainings, images)`, at least 2 of both, e.g. 1 where a
            classifier was right and 0 where it was wrong, or a difference of two such
            arrays.
        level: float in (0, 1). Level of the interval.

    Returns: `Estimate`.

    References:
        - [Owen, 2007](https://arxiv.org/abs/0712.1111), "The pigeonhole bootstrap",
          for the variance
        - Satterthwaite, 1946, "An approximate distribution of estimates of variance
          components", for the degrees of freedom
    """
    values = np.asarray(values, np.float64)
    parts = np.array(
        [values.mean(axis=1 - axis).var(ddof=1) / values.shape[axis] for axis in (0, 1)]
    )
    mean, variance = float(values.mean()), parts.sum()
    if not variance:
        return Estimate(mean, mean, mean)
    freedom = variance**2 / (parts**2 / (np.array(values.shape) - 1)).sum()
    half = float(np.sqrt(variance)) * _student(freedom, level)
    return Estimate(mean, mean - half, mean + half)


def mean_by_class(values: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """Computes the mean of the images of each class.

    Args:
        values: array `(trainings, images)`.
        labels: integer array `(images,)`.

    Returns: dict from class index to float.
    """
    return {int(x): float(values[:, labels == x].mean()) for x in np.unique(labels)}


def conclusion(change: Estimate, plain: Estimate, level: float = 0.95) -> str:
    """Says in a sentence whether it helps to add generated images.

    Args:
        change: `Estimate` of the change of the accuracy by adding them.
        plain: `Estimate` of its change by plain augmentation.
        level: float in (0, 1). Level of the intervals.
    """
    verdict = "does not measurably help"
    if change.low > 0:
        verdict = "helps"
    elif change.high < 0:
        verdict = "does not help but harms"
    return (
        f"Adding these images {verdict}: the accuracy on held-out images changes by "
        f"{_points(change, level)}, and by plain augmentation of the same cost by "
        f"{_points(plain, level)}."
    )


def _student(freedom, level):
    """What Student's distribution exceeds in either direction with 1 - level.

    The density of t = sqrt(freedom) tan(a) is proportional to cos(a)^(freedom - 1).
    """
    angles = np.linspace(0, np.pi / 2, 100_001)
    mass = np.cumsum(np.cos(angles) ** (freedom - 1))
    return float(np.sqrt(freedom) * np.tan(np.interp(level, mass / mass[-1], angles)))


def _points(estimate, level):
    value, low, high = (100 * x for x in estimate)
    return f"{value:+.2f} points ({level:.0%} interval {low:+.2f} to {high:+.2f})"
