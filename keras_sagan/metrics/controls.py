"""Makes controls, images with a known fault on which scores can be tested."""

import numpy as np

# The name of each control and its fault. `registry.Score.sees` uses the names.
CONTROLS = {
    "dropped": "one class is missing",
    "repeated": "few images, each many times",
    "blurred": "blurred",
    "components": "only eight principal components of each class",
    "noise": "uniform noise",
    "shuffled": "labels in random order",
    "copies": "copies of the training images",
}

_COMPONENTS = 8
_BLURS = 4
_DISTINCT = 10  # number of times that an image is repeated
_KERNEL = (0.25, 0.5, 0.25)


def blurred(images):
    """Blurs images by about a pixel, mixing every pixel with its neighbours four times.

    Args:
        images: uint8 array `(n, height, width, channels)`.

    Returns: array of the same shape and dtype, like all functions here on images.
    """
    x = images.astype(np.float32)
    for _ in range(_BLURS):
        for axis in (1, 2):
            x = _mixed(x, axis)
    return _bytes(x)


def principal_components(images, labels):
    """Reduces the images of each class to their first eight principal components.

    Args:
        images: uint8 array `(n, height, width, channels)`.
        labels: integer array `(n,)`, or `None` for one class.
    """
    labels = np.zeros(len(images), int) if labels is None else labels
    result = np.empty(images.shape, np.float32)
    for label in np.unique(labels):
        rows = labels == label
        x = images[rows].reshape(rows.sum(), -1).astype(np.float32)
        mean = x.mean(axis=0)
        x -= mean
        axes = np.linalg.svd(x, full_matrices=False)[2][:_COMPONENTS]
        result[rows] = (x @ axes.T @ axes + mean).reshape(-1, *images.shape[1:])
    return _bytes(result)


def noise(images, seed):
    """Replaces all pixels by uniform noise.

    Args:
        images: uint8 array `(n, height, width, channels)`.
        seed: int.
    """
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, images.shape, dtype=np.uint8)


def without_largest_class(labels):
    """Returns the rows of all classes except the most frequent one: integer array.

    Args:
        labels: integer array `(n,)`.
    """
    classes, counts = np.unique(labels, return_counts=True)
    return np.flatnonzero(labels != classes[counts.argmax()])


def few_repeated(count, seed):
    """Returns rows of a tenth of the images, each ten times: integer array `(count,)`.

    Args:
        count: int. Number of images.
        seed: int.
    """
    generator = np.random.default_rng(seed)
    distinct = generator.choice(count, max(count // _DISTINCT, 1), replace=False)
    return np.resize(distinct, count)


def shuffled(labels, seed):
    """Returns the labels in random order.

    Args:
        labels: integer array `(n,)`.
        seed: int.
    """
    return np.random.default_rng(seed).permutation(labels)


def _mixed(x, axis):
    padding = [(1, 1) if i == axis else (0, 0) for i in range(x.ndim)]
    x = np.pad(x, padding, mode="edge")
    size = x.shape[axis] - 2
    parts = (np.take(x, np.arange(i, i + size), axis=axis) for i in range(3))
    return sum(weight * part for weight, part in zip(_KERNEL, parts, strict=True))


def _bytes(x):
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)
