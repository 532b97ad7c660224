"""Attention maps and pixels: which query a pixel is, and where it looks.

A map is a row of `gan.attention_maps(...)`: float array `(queries, keys)` whose rows
sum to 1. Queries and keys are the positions of two square grids over the image, row by
row; with pooling, that of the keys is coarser.
"""

import math

import numpy as np


def grid_side(count):
    """Side of the square grid of `count` positions.

    Raises:
        ValueError: if they make no square.
    """
    side = math.isqrt(count)
    if not count or side * side != count:
        raise ValueError(
            "The positions of an attention map must make a square grid. "
            f"Received: {count} positions."
        )
    return side


def query_index(x: int, y: int, image_size: int, side: int) -> int:
    """The query that a pixel belongs to.

    Args:
        x: int. Column of the pixel, from the left.
        y: int. Row of the pixel, from the top.
        image_size: int. Height and width of the image in pixels.
        side: int. Height and width of the grid of queries.

    Returns: int: row of the attention map.

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
    """The attention of one query as a picture: each pixel has its position's weight.

    Args:
        weights: float array `(keys,)`: row of an attention map.
        image_size: int. A multiple of the grid's side.

    Returns: array `(image_size, image_size)` of the same numbers, each repeated.
    """
    side = grid_side(len(weights))
    block = image_size // side
    grid = np.asarray(weights).reshape(side, side)
    return np.repeat(np.repeat(grid, block, axis=0), block, axis=1)


def distances(queries_side, keys_side):
    """Distance of every query to every key, as a share of the image's side.

    Returns: float64 array `(queries_side**2, keys_side**2)`.
    """
    return np.linalg.norm(
        _centres(queries_side)[:, None] - _centres(keys_side)[None], axis=-1
    )


def non_locality(attention: np.ndarray) -> np.ndarray:
    """How much farther each query looks than one that looks everywhere alike.

    The mean distance under the query's attention, minus the mean distance under
    uniform attention. It is 0 for a query that looks everywhere alike, negative for
    one that looks around itself, positive for one that looks at something far.

    Args:
        attention: float array `(queries, keys)`.

    Returns: float64 array `(queries,)`, in shares of the image's side.
    """
    attention = np.asarray(attention, np.float64)
    far = distances(*map(grid_side, attention.shape))
    return (attention * far).sum(axis=1) - far.mean(axis=1)


def most_non_local_points(
    attention: np.ndarray, count: int, image_size: int
) -> list[tuple[int, int]]:
    """The pixels whose queries look farthest, kept apart from each other.

    Greedy: the query with the largest `non_locality` first, then the largest of
    those that are at least a quarter of the image away from all before.

    Args:
        attention: float array `(queries, keys)`.
        count: int. Points wanted; fewer where no more are far enough apart.
        image_size: int.

    Returns: list of `(x, y)`: pixels in the middle of the queries' cells.
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
    """Middles `(x, y)` of the cells, row by row: `(side**2, 2)` in (0, 1)."""
    line = (np.arange(side) + 0.5) / side
    y, x = np.meshgrid(line, line, indexing="ij")
    return np.stack([x.ravel(), y.ravel()], axis=-1)
