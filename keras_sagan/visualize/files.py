"""Pictures as files: PNG and GIF, written whole or not at all."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from keras_sagan.files import paths, writing


def save_picture(path: str | os.PathLike, pixels: np.ndarray) -> None:
    """Writes one picture as a PNG file; folders are made as needed.

    Args:
        path: str or path ending in `.png`. A file of that name is replaced.
        pixels: uint8 array `(height, width, channels)`, channels 1, 3 or 4.

    Raises:
        ValueError: if `path` has another ending.
    """
    path = _checked(path, ".png")
    _write(path, lambda partial: to_image(pixels).save(partial, format="PNG"))


def save_animation(
    path: str | os.PathLike, frames: Sequence[np.ndarray], milliseconds: int = 500
) -> None:
    """Writes pictures of one size as a GIF file that starts again at its end.

    Args:
        path: str or path ending in `.gif`. A file of that name is replaced.
        frames: sequence of uint8 arrays `(height, width, channels)`.
        milliseconds: int. That each picture is shown; the last one three times as long.

    Raises:
        ValueError: if `path` has another ending, or there is no frame.
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
    """uint8 array `(height, width, 1, 3 or 4)` as a `PIL.Image.Image`."""
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
