"""Draws a curve of a few labelled points as a PNG file, with Pillow."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_sagan.visualize import files

_SIZE = (720, 480)  # width and height in pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 30, 40, 60  # margins in pixels
_TICKS = 5
_INK, _GRID, _CURVE = (40, 40, 40), (220, 220, 220), (31, 99, 173)


def save_curve(
    path: str | os.PathLike,
    points: Sequence[tuple[float, float, str]],
    x_name: str,
    y_name: str,
    title: str = "",
) -> None:
    """Draws points, and a line through them in the given order, to a PNG file.

    Args:
        path: str or path that ends in `.png`.
        points: list of `(x, y, text)` with two finite floats and a label.
        x_name: str. Name of the horizontal axis.
        y_name: str. Name of the vertical axis.
        title: str. Text at the top.

    Raises:
        ValueError: if `path` has another extension, if there are no points, or if a
            coordinate is not finite.
    """
    values = np.array([point[:2] for point in points], np.float64).reshape(-1, 2)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(
            f"Argument `points` must be finite numbers. Received: {points!r}."
        )
    image = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(14)
    low, high = _axis_range(values)
    _axes(draw, font, low, high)
    places = [_pixel(value, low, high) for value in values]
    draw.line(places, fill=_CURVE, width=2)
    for (x, y), (_, _, text) in zip(places, points, strict=True):
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=_CURVE)
        draw.text((x + 7, y - 9), text, fill=_INK, font=font, anchor="lm")
    middle = (_LEFT + _SIZE[0] - _RIGHT) / 2
    draw.text((middle, _SIZE[1] - 18), x_name, fill=_INK, font=font, anchor="mm")
    draw.text((8, _TOP - 22), y_name, fill=_INK, font=font, anchor="lm")
    draw.text((middle, _TOP - 22), title, fill=_INK, font=font, anchor="mm")
    files.save_picture(path, np.asarray(image))


def _axis_range(values):
    """Returns the lowest and highest values of both axes, with a margin."""
    low, high = values.min(axis=0), values.max(axis=0)
    room = np.where(high > low, 0.08 * (high - low), 0.5)
    return low - room, high + room


def _pixel(value, low, high):
    share = (np.asarray(value) - low) / (high - low)
    x = _LEFT + share[0] * (_SIZE[0] - _LEFT - _RIGHT)
    y = _SIZE[1] - _BOTTOM - share[1] * (_SIZE[1] - _TOP - _BOTTOM)
    return float(x), float(y)


def _axes(draw, font, low, high):
    bottom, right = _SIZE[1] - _BOTTOM, _SIZE[0] - _RIGHT
    for share in np.linspace(0, 1, _TICKS):
        value = low + share * (high - low)
        x, y = _pixel(value, low, high)
        draw.line([(x, _TOP), (x, bottom)], fill=_GRID)
        draw.line([(_LEFT, y), (right, y)], fill=_GRID)
        draw.text((x, bottom + 14), f"{value[0]:.4g}", _INK, font, anchor="mm")
        draw.text((_LEFT - 8, y), f"{value[1]:.4g}", _INK, font, anchor="rm")
    draw.rectangle([(_LEFT, _TOP), (right, bottom)], outline=_INK)
