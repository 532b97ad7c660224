"""Checks feature arrays, with errors that name the argument."""

import numpy as np


def check_features(name, features, at_least=1, finite=True):
    """Returns `features` as a finite float32 or float64 array `(n, dimensions)`.

    Args:
        name: str. Name of the argument in messages.
        features: array-like.
        at_least: int. Smallest number of rows.
        finite: bool. Whether to check that all values are finite, which takes time.

    Raises:
        ValueError: if it has another rank, no columns, too few rows, or a value that is
            not finite.
    """
    array = np.asarray(features)
    if array.dtype != np.float32:
        array = array.astype(np.float64)
    if array.ndim != 2 or not array.shape[1]:
        raise ValueError(
            f"`{name}` must have shape (images, dimensions). "
            f"Received shape: {array.shape}."
        )
    if len(array) < at_least:
        raise ValueError(
            f"`{name}` must have at least {at_least} rows, one for each image. "
            f"Received: {len(array)}."
        )
    if finite and not np.isfinite(array).all():
        bad = ~np.isfinite(array).all(axis=1)
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinity in {bad.sum()} of "
            f"{len(array)} rows, the first of them row {bad.argmax()}."
        )
    return array


def check_pair(real, fake, at_least=1):
    """Checks and returns two feature arrays, which must have the same dimensions."""
    real = check_features("real", real, at_least)
    fake = check_features("fake", fake, at_least)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            "`real` and `fake` must be features of the same extractor. Received: "
            f"{real.shape[1]} and {fake.shape[1]} dimensions."
        )
    return real, fake
