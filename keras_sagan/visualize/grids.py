"""Arranges many small images as a grid in one picture."""

import os
from collections.abc import Sequence

import numpy as np

from keras_sagan.visualize import files


def image_grid(images: np.ndarray, columns: int, padding: int = 2) -> np.ndarray:
    """Arranges images row by row on a white background.

    Args:
        images: uint8 array `(n, height, width, channels)` with 1, 3 or 4 channels.
        columns: int. Number of images in a row. The last row may be shorter.
        padding: int. Number of pixels between and around the images.

    Returns:
        uint8 array `(grid height, grid width, channels)`.

    Raises:
        ValueError: if the images are not such an array, or if `columns` or `padding` is
            too small.
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
    """Places two grids with the same number of rows next to each other.

    Args:
        left, right: uint8 arrays `(rows, columns, height, width, channels)`.
        gap: int. Number of white pixels between them.

    Returns: uint8 array `(grid height, grid width, channels)`.
    """
    grids = [
        image_grid(cells.reshape(-1, *cells.shape[2:]), cells.shape[1])
        for cells in (left, right)
    ]
    white = np.full_like(grids[0][:, :1], 255).repeat(gap, axis=1)
    return np.concatenate([grids[0], white, grids[1]], axis=1)


def enlarged(images, least):
    """Enlarges small images by a whole factor, without interpolation.

    Args:
        images: uint8 array `(..., height, width, channels)`.
        least: int. Smallest height of the result in pixels. Images that are at least as
            high are unchanged.
    """
    factor = max(1, -(-least // images.shape[-3]))
    return images.repeat(factor, axis=-3).repeat(factor, axis=-2)


def class_rows(labels: Sequence, columns: int, seed: int = 0) -> tuple[list, list[int]]:
    """Returns labels and seeds for a grid with a class in each row.

    All rows have the same seeds, so that images in a column share their latent vector.

    Args:
        labels: sequence with the label of each row.
        columns: int. Number of images in a row.
        seed: int. Seed of the first column. The others have `seed + 1`, `seed + 2`, ...

    Returns:
        Tuple `(labels, seeds)` of two lists with an entry for each image, row by row.
    """
    labels = [label for label in labels for _ in range(columns)]
    seeds = [seed + index % columns for index in range(len(labels))]
    return labels, seeds


def shown_classes(num_classes: int, most: int = 16) -> list[int]:
    """Returns the classes to show in a grid: all, or `most` evenly spaced ones."""
    return [
        int(label) for label in np.unique(np.linspace(0, num_classes - 1, most).round())
    ]


def save_grid(
    path: str | os.PathLike, images: np.ndarray, columns: int, padding: int = 2
) -> None:
    """Writes `image_grid(images, columns, padding)` to a PNG file.

    The file is complete or not there at all. Folders are created as needed.

    Args:
        path: str or path that ends in `.png`.
        images: see `image_grid`.
        columns: see `image_grid`.
        padding: see `image_grid`.

    Raises:
        ValueError: if `path` has another extension, or as for `image_grid`.
    """
    files.save_picture(path, image_grid(images, columns, padding))
