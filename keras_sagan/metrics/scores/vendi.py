"""Computes the Vendi score, the effective number of different images in a set."""

import numpy as np

from keras_sagan.metrics.scores.checks import check_features

_BLOCK = 4096  # rows that are processed at once


def vendi_score(features: np.ndarray) -> float:
    """Computes exp of the entropy of the eigenvalues of K / n, where K are cosines.

    K has the cosines of all pairs of features. The score is 1 for a set with a single
    repeated image, and n if all features are orthogonal. As it uses no real images,
    noise scores high, so compare it with the score of real images.

    The non-zero eigenvalues of the n x n matrix are those of a matrix of dimensions x
    dimensions, which is used if it is smaller, so that memory is that of the features.
    A vector of zeros has cosine 0 with all vectors, including itself, as in
    scikit-learn's `normalize`.

    Args:
        features: array `(n, dimensions)`.

    Returns: float, at least 1 if no vector is zero.

    Raises:
        ValueError: if the features are not as described.

    References:
        - [Friedman and Dieng, 2022](https://arxiv.org/abs/2210.02410), definition 3.1.
        - [Stein et al., 2023](https://arxiv.org/abs/2306.04675), who use the cosines of
          features.
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
