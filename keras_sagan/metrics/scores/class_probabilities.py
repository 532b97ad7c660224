"""Computes the Inception score from class probabilities."""

from typing import NamedTuple

import numpy as np

from keras_sagan.metrics.counts import check_count
from keras_sagan.metrics.scores.checks import check_features


class InceptionScore(NamedTuple):
    """Mean and standard deviation of the score over the splits."""

    mean: float
    deviation: float


def inception_score(
    probabilities: np.ndarray, splits: int = 10, seed: int = 2020
) -> InceptionScore:
    """Computes exp of the mean KL divergence between p(y | x) and p(y), in float64.

    The lowest value is 1, the highest is the number of classes. With the 1008 classes
    of the FID network (logits without bias), it is the Inception score of the
    literature; with a classifier of other classes, the scale is different.

    Args:
        probabilities: array `(n, classes)` with rows that sum to 1; see `softmax`.
        splits: int. Number of parts, each of which is scored. Defaults to `10`.
        seed: int, or `None` to split in the given order. The images are shuffled as in
            torch-fidelity.

    Returns: `InceptionScore`.

    Raises:
        ValueError: if rows are not probabilities, or if there are fewer than `splits`.

    Reference: [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 4.
    """
    p = check_features("probabilities", probabilities).astype(np.float64)
    if p.min() < 0 or np.abs(p.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError(
            "`probabilities` must be >= 0 with rows that sum to 1 (see `softmax`). "
            f"Received: smallest {p.min():.3g}, sums from {p.sum(1).min():.3g} to "
            f"{p.sum(1).max():.3g}."
        )
    check_splits(splits, len(p))
    if seed is not None:
        p = p[np.random.RandomState(seed).permutation(len(p))]
    scores = []
    for index in range(splits):
        part = p[index * len(p) // splits : (index + 1) * len(p) // splits]
        marginal = part.mean(axis=0)
        scores.append(np.exp((_entropy(marginal) - _entropy(part)).mean()))
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def check_splits(splits, count):
    """Raises a `ValueError` unless `count` images can be split like this."""
    check_count("splits", splits, 1, count, " (the number of images)")


def softmax(logits: np.ndarray) -> np.ndarray:
    """Converts logits `(n, classes)` to probabilities, in float64."""
    logits = check_features("logits", logits).astype(np.float64)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _entropy(p):
    """Computes the entropy over the last axis, where 0 log 0 = 0."""
    return -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=-1)
