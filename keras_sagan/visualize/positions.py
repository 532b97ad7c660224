"""Relates the queries and keys of attention maps to the pixels of an image.

A map is the entry of an image in `gan.attention_maps(...)`, a float array
`(queries, keys)` whose rows sum to 1. Queries and keys are the positions of two square
grids over the image, in row-major order. With pooling, the grid of the keys is coarser.
"""

import math

import numpy as np


def grid_side(count):
    """Returns the height and width of the square grid of `count` positions.

    Raises:
        ValueError: if `count` is not a square number.
    """
    side = math.isqrt(count)
    if not count or side * side != count:
        raise ValueError(
            "The positions of an attention map must form a square grid. "
            f"Received: {count} positions."
        )
    return side


def query_index(x: int, y: int, image_size: int, side: int) -> int:
    """Returns the index of the query to which a pixel belongs.

    Args:
        x: int. Column of the pixel, from the left.
        y: int. Row of the pixel, from the top.
        image_size: int. Height and width of the image in pixels.
        side: int. Height and width of the grid of queries.

    Returns: int. Row of the attention map.

    Raises:
        ValueError: if the pixel is outside the image.
    """
    if not (0 <= x < image_size and 0 <= y < image_size):
        raise ValueError(
            f"Points must be pixels x,y of the image, from 0,0 to {image_size - 1},"
            f"{image_size - 1}. Received: {x},{y}."
        )
    return (y * side // image_size) * side + x * side // image_size


def spread_over_pixels(weights, image_size):
    """Enlarges the attention of a query to the size of the image.

    Args:
        weights: float array `(keys,)`. A row of an attention map.
        image_size: int. A multiple of the side of the grid.

    Returns: array `(image_size, image_size)` in which each weight is repeated.
    """
    side = grid_side(len(weights))
    block = image_size // side
    grid = np.asarray(weights).reshape(side, side)
    return np.repeat(np.repeat(grid, block, axis=0), block, axis=1)


def distances(queries_side, keys_side):
    """Returns the distances of all queries to all keys, in units of the image side.

    Returns: float64 array `(queries_side**2, keys_side**2)`.
    """
    return np.linalg.norm(
        _centres(queries_side)[:, None] - _centres(keys_side)[None], axis=-1
    )


def non_locality(attention: np.ndarray) -> np.ndarray:
    """Measures how far away each query attends, compared with uniform attention.

    It is the mean distance under the attention of the query, minus the mean distance
    under uniform attention: 0 for a query that attends uniformly, negative for one that
    attends to its surroundings, and positive for one that attends to distant positions.

    Args:
        attention: float array `(queries, keys)`.

    Returns: float64 array `(queries,)`, in units of the image side.
    """
    attention = np.asarray(attention, np.float64)
    far = distances(*map(grid_side, attention.shape))
    return (attention * far).sum(axis=1) - far.mean(axis=1)


def most_non_local_points(
    attention: np.ndarray, count: int, image_size: int
) -> list[tuple[int, int]]:
    """Finds pixels whose queries attend to distant positions.

    The first one has the largest `non_locality`. Each of the others has the largest
    among those that are at least a quarter of the image away from all previous ones.

    Args:
        attention: float array `(queries, keys)`.
        count: int. Largest number of pixels. There are fewer if no others are far
            enough apart.
        image_size: int. Height and width of the image in pixels.

    Returns: list of `(x, y)`, the pixels in the middle of the cells of the queries.
    """
    scores = non_locality(attention)
    side = grid_side(len(scores))
    centres = _centres(side)
    chosen: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        if all(np.linalg.norm(centres[index] - centres[j]) >= 0.25 for j in chosen):
            chosen.append(int(index))
        if len(chosen) == count:
            break
    return [(int(x * image_size), int(y * image_size)) for x, y in centres[chosen]]


def _centres(side):
    """Returns the centres `(x, y)` of the cells in (0, 1): array `(side**2, 2)`."""
    line = (np.arange(side) + 0.5) / side
    y, x = np.meshgrid(line, line, indexing="ij")
    return np.stack([x.ravel(), y.ravel()], axis=-1)
