"""Writes pictures to PNG and GIF files, which are complete or not there at all."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from keras_sagan.files import paths, writing


def save_picture(path: str | os.PathLike, pixels: np.ndarray) -> None:
    """Writes a picture to a PNG file, and creates folders as needed.

    Args:
        path: str or path that ends in `.png`. An existing file is replaced.
        pixels: uint8 array `(height, width, channels)` with 1, 3 or 4 channels.

    Raises:
        ValueError: if `path` has another extension.
    """
    path = _checked(path, ".png")
    _write(path, lambda partial: to_image(pixels).save(partial, format="PNG"))


def save_animation(
    path: str | os.PathLike, frames: Sequence[np.ndarray], milliseconds: int = 500
) -> None:
    """Writes pictures of the same size to a GIF file that repeats endlessly.

    Args:
        path: str or path that ends in `.gif`. An existing file is replaced.
        frames: sequence of uint8 arrays `(height, width, channels)`.
        milliseconds: int. How long each picture is shown; the last one is shown three
            times as long.

    Raises:
        ValueError: if `path` has another extension, or if there are no frames.
    """
    path = _checked(path, ".gif")
    if not len(frames):
        raise ValueError("Argument `frames` must hold at least one picture.")
    images = [to_image(frame).convert("RGB") for frame in frames]
    images = [x.quantize(256, dither=Image.Dither.NONE) for x in images]
    times = [milliseconds] * (len(images) - 1) + [3 * milliseconds]

    def save(partial):
        images[0].save(
            partial,
            format="GIF",
            save_all=True,
            append_images=images[1:],
            duration=times,
            loop=0,
            disposal=1,
        )

    _write(path, save)


def to_image(pixels):
    """Converts a uint8 array `(height, width, 1, 3 or 4)` to a `PIL.Image.Image`."""
    pixels = np.asarray(pixels)
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _checked(path, suffix):
    path = paths.local(path)
    if path.suffix.lower() != suffix:
        raise ValueError(
            f"Argument `path` must end in {suffix}. Received: path={str(path)!r}."
        )
    return path


def _write(path, save):
    writing.make_folder(path.parent)
    writing.replace_file(path, save)
