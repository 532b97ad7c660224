"""Draws the built-in data set "glyphs": the ten digits in bright colours on black.

Every image is a pure function of split, index and image size. Its colour, shift,
rotation and scale come from its own NumPy generator. The digits are drawn with the
scalable font that is part of Pillow, so that nothing is downloaded.
"""

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont

DIGITS = "0123456789"

# RGB colours that are bright on black, also when they are converted to grey.
COLORS = (
    (255, 80, 80),
    (80, 230, 80),
    (90, 140, 255),
    (255, 225, 60),
    (255, 110, 230),
    (70, 225, 235),
)

# Number of examples: 1,000 and 200 of each digit.
SPLIT_SIZES = {"train": 10_000, "test": 2_000}

# First word of the seed of each image. Another value gives another data set.
_SPLIT_SEEDS = {"train": 20_190_601, "test": 20_190_602}

# Lengths are shares of the height of the image.
_HEIGHT = 0.8  # before the random scale
_STROKE = 0.03  # added to the thin strokes of the regular face
_MAX_SHIFT = 0.04  # in each direction
_MAX_ROTATION = 8.0  # degrees in each direction
_SCALES = (0.9, 1.0)


def render(split, index, image_size):
    """Draws one example.

    Args:
        split: "train" or "test", which have different images.
        index: int >= 0. The label is `index % 10`.
        image_size: int. Height and width in pixels.

    Returns:
        Tuple `(image, label)`: uint8 array `(image_size, image_size, 3)`, and int.
    """
    rng = np.random.default_rng([_SPLIT_SEEDS[split], index])
    color = COLORS[rng.integers(len(COLORS))]
    scale = rng.uniform(*_SCALES)
    angle = np.deg2rad(rng.uniform(-_MAX_ROTATION, _MAX_ROTATION))
    shift = rng.uniform(-_MAX_SHIFT, _MAX_SHIFT, size=2)
    label = index % len(DIGITS)
    mask = _moved(_digit_mask(label, image_size), scale, angle, shift, image_size)
    return _shades(color)[mask], label


@functools.lru_cache(maxsize=len(COLORS))
def _shades(color):
    """Returns a colour at each coverage from 0 to 255: uint8 array `(256, 3)`."""
    coverage = np.arange(256, dtype=np.float32)[:, None] / 255
    return np.rint(coverage * np.array(color, np.float32)).astype(np.uint8)


def _moved(mask, scale, angle, shift, image_size):
    """Scales, rotates and shifts an oversampled mask, and reduces it to `image_size`.

    Returns:
        uint8 array `(image_size, image_size)`.
    """
    size = mask.width
    center = size / 2
    # Pillow expects the inverse transformation, from output to input positions.
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    x, y = center + shift * size
    matrix = (
        *(cos, sin, center - cos * x - sin * y),
        *(-sin, cos, center + sin * x - cos * y),
    )
    moved = mask.transform(
        mask.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
    )
    return np.asarray(moved.reduce(size // image_size))


@functools.lru_cache(maxsize=2 * len(DIGITS))
def _digit_mask(digit, image_size):
    """Draws a centred digit, oversampled: mode "L", side a multiple of `image_size`."""
    size = image_size * _oversampling(image_size)
    stroke = max(1, round(_STROKE * size / 2))
    text, font = DIGITS[digit], _font(size, stroke)
    left, top, right, bottom = font.getbbox(text, stroke_width=stroke)
    mask = Image.new("L", (size, size))
    ImageDraw.Draw(mask).text(
        ((size - left - right) / 2, (size - top - bottom) / 2),
        text,
        fill=255,
        font=font,
        stroke_width=stroke,
    )
    return mask


def _oversampling(image_size):
    """Returns samples per pixel and direction: more for small images, thin strokes."""
    if image_size <= 32:
        return 4
    return 2 if image_size <= 64 else 1


@functools.lru_cache(maxsize=2)
def _font(size, stroke):
    """Returns the font in which a stroked "8" is `_HEIGHT * size` pixels high."""
    probe = ImageFont.load_default(size)
    _, top, _, bottom = probe.getbbox("8")
    return ImageFont.load_default(size * (_HEIGHT * size - 2 * stroke) / (bottom - top))
