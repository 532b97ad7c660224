"""Finds the training pictures that are most similar to generated ones, by pixels."""

import numpy as np

_BLOCK = 2048  # number of training pictures that are compared at once


def nearest_pictures(images, training, count):
    """Finds the training pictures with the smallest mean squared difference of pixels.

    Args:
        images: uint8 array `(n, height, width, channels)`.
        training: uint8 array `(m, height, width, channels)`, or an object that is read
            like one, such as `StoredImages`.
        count: int in [1, m]. Number of training pictures for each image.

    Returns: int array `(n, count)` of indices into `training`, sorted by distance and
        then by index, and float array `(n, count)` of the root mean squared differences
        in grey levels, which are 0 for copies.

    Raises:
        ValueError: if the pictures differ in size, or if `count` is out of range.
    """
    images = np.asarray(images)
    if images.shape[1:] != training.shape[1:]:
        raise ValueError(
            "Generated and training pictures must have the same size and channels. "
            f"Received: {images.shape[1:]} and {training.shape[1:]}."
        )
    if not 1 <= count <= len(training):
        raise ValueError(
            f"`count` must be in [1, {len(training)}]. Received: count={count!r}."
        )
    pixels = images[0].size
    points = images.reshape(len(images), pixels).astype(np.float64)
    squares = (points**2).sum(axis=1, keepdims=True)
    parts = []
    for start in range(0, len(training), _BLOCK):
        block = training[start : start + _BLOCK].reshape(-1, pixels).astype(np.float64)
        # Exact, because sums of integers below 2^53 are exact in float64.
        parts.append(squares - 2 * points @ block.T + (block**2).sum(axis=1))
    distances = np.concatenate(parts, axis=1)
    order = np.argsort(distances, axis=1, kind="stable")[:, :count]
    return order, np.sqrt(np.take_along_axis(distances, order, axis=1) / pixels)
