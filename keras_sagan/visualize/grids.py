"""Grids of images: many small pictures in one PNG file."""

import os
from collections.abc import Sequence

import numpy as np

from keras_sagan.visualize import files


def image_grid(images: np.ndarray, columns: int, padding: int = 2) -> np.ndarray:
    """Puts images side by side, row by row, on a white ground.

    Args:
        images: uint8 array `(n, height, width, channels)`, channels 1, 3 or 4.
        columns: int. Images in a row; the last row may be shorter.
        padding: int. Pixels between images and around them.

    Returns:
        uint8 array `(grid height, grid width, channels)`.

    Raises:
        ValueError: if the images are not such an array, or `columns` or `padding`
            is too small.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[3] not in (1, 3, 4) or not len(images):
        raise ValueError(
            "Argument `images` must have shape (n, height, width, channels) with "
            f"n >= 1 and 1, 3 or 4 channels. Received shape: {images.shape}."
        )
    if images.dtype != np.uint8:
        raise ValueError(
            f"Argument `images` must be uint8. Received: dtype={images.dtype}."
        )
    if columns < 1 or padding < 0:
        raise ValueError(
            "Argument `columns` must be at least 1 and `padding` at least 0. "
            f"Received: columns={columns!r}, padding={padding!r}."
        )
    count, height, width, channels = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    step_y, step_x = height + padding, width + padding
    grid = np.full(
        (rows * step_y + padding, columns * step_x + padding, channels), 255, np.uint8
    )
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        top, left = row * step_y + padding, column * step_x + padding
        grid[top : top + height, left : left + width] = image
    return grid


def beside(left, right, gap=12):
    """Two grids of the same number of rows, apart from each other.

    Args:
        left, right: uint8 arrays `(rows, columns, height, width, channels)`.
        gap: int. White pixels between them.

    Returns: uint8 array `(grid height, grid width, channels)`.
    """
    grids = [
        image_grid(cells.reshape(-1, *cells.shape[2:]), cells.shape[1])
        for cells in (left, right)
    ]
    white = np.full_like(grids[0][:, :1], 255).repeat(gap, axis=1)
    return np.concatenate([grids[0], white, grids[1]], axis=1)


def enlarged(images, least):
    """Small images with every pixel as a square of them.

    Args:
        images: uint8 array `(..., height, width, channels)`.
        least: int. Height that images have at least, by a whole factor; larger ones
            stay as they are.
    """
    factor = max(1, -(-least // images.shape[-3]))
    return images.repeat(factor, axis=-3).repeat(factor, axis=-2)


def class_rows(labels: Sequence, columns: int, seed: int = 0) -> tuple[list, list[int]]:
    """Labels and seeds of a grid with a row for each label, equal latents in each.

    Args:
        labels: sequence of labels, one a row.
        columns: int. Images in a row.
        seed: int. Of the first column; the next ones have seed + 1, seed + 2, ...

    Returns:
        `(labels, seeds)`: two lists with an entry for each image, row by row.
    """
    labels = [label for label in labels for _ in range(columns)]
    seeds = [seed + index % columns for index in range(len(labels))]
    return labels, seeds


def shown_classes(num_classes: int, most: int = 16) -> list[int]:
    """Returns the classes that a grid has rows for: all, or `most` spread over them."""
    return [
        int(label) for label in np.unique(np.linspace(0, num_classes - 1, most).round())
    ]


def save_grid(
    path: str | os.PathLike, images: np.ndarray, columns: int, padding: int = 2
) -> None:
    """Writes `image_grid(images, columns, padding)` as a PNG file.

    The file appears complete or not at all; folders are made as needed.

    Args:
        path: str or path ending in `.png`.
        images: see `image_grid`.
        columns: see `image_grid`.
        padding: see `image_grid`.

    Raises:
        ValueError: if `path` has another ending, or as `image_grid` does.
    """
    files.save_picture(path, image_grid(images, columns, padding))
