"""The Vendi score: how many different images a set is worth, without real ones."""

import numpy as np

from keras_sagan.metrics.scores.checks import check_features

_BLOCK = 4096  # rows


def vendi_score(features: np.ndarray) -> float:
    """exp of the entropy of the eigenvalues of K / n, K the cosines of all pairs.

    1 for a set of one repeated image, n for images at right angles to each other. It
    knows no real images, so noise scores high: read it beside the score of real ones.

    The eigenvalues of the n x n matrix are those of the dimensions x dimensions one,
    which is taken where it is smaller: 50,000 images take no more memory than their
    features. A vector of zeros has the cosine 0 with every one, itself included, as
    scikit-learn's `normalize` has it.

    Args:
        features: array `(n, dimensions)`.

    Returns: float >= 1 (where no vector is zero).

    Raises:
        ValueError: if the features are not as described.

    References:
        - [Friedman and Dieng, 2022](https://arxiv.org/abs/2210.02410), definition 3.1.
        - [Stein et al., 2023](https://arxiv.org/abs/2306.04675), where it is taken of
          features and their cosines.
    """
    features = check_features("features", features)
    count, dimensions = features.shape
    if count < dimensions:
        rows = _unit(features)
        matrix = rows @ rows.T
    else:
        matrix = np.zeros((dimensions, dimensions))
        for start in range(0, count, _BLOCK):
            rows = _unit(features[start : start + _BLOCK])
            matrix += rows.T @ rows
    values = np.linalg.eigvalsh(matrix / count)
    values = values[values > 0]
    return float(np.exp(-(values * np.log(values)).sum()))


def _unit(rows):
    rows = rows.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths, lengths, 1)
