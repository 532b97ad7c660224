"""The embedded data set: the ten digits, one bright glyph on black.

Every image is a pure function of (split, index, image size): its colour, shift,
rotation and scale come from a NumPy generator of its own. The digits are drawn with
the scalable font that Pillow carries, so nothing is downloaded.
"""

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont

DIGITS = "0123456789"

# RGB. Bright on black, and still bright when converted to one grey channel.
COLORS = (
    (255, 80, 80),
    (80, 230, 80),
    (90, 140, 255),
    (255, 225, 60),
    (255, 110, 230),
    (70, 225, 235),
)

# Examples a split: 1,000 and 200 of each digit.
SPLIT_SIZES = {"train": 10_000, "test": 2_000}

# First words of each image's seed; another value gives another data set.
_SPLIT_SEEDS = {"train": 20_190_601, "test": 20_190_602}

_HEIGHT = 0.8  # of the image, before the random scale
_STROKE = 0.03  # widens the thin strokes of the regular face, of the image
_MAX_SHIFT = 0.04  # of the image, each way
_MAX_ROTATION = 8.0  # degrees, each way
_SCALES = (0.9, 1.0)


def render(split, index, image_size):
    """Draws one example.

    Args:
        split: str. "train" or "test"; their draws differ.
        index: int >= 0. The label is `index % 10`.
        image_size: int. Height and width in pixels.

    Returns:
        `(image, label)`: uint8 array `(image_size, image_size, 3)` and int.
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
    """The colour at each coverage 0-255: uint8 array `(256, 3)`."""
    coverage = np.arange(256, dtype=np.float32)[:, None] / 255
    return np.rint(coverage * np.array(color, np.float32)).astype(np.uint8)


def _moved(mask, scale, angle, shift, image_size):
    """Scales, rotates and shifts an oversampled mask, then reduces it.

    Returns:
        uint8 array `(image_size, image_size)`.
    """
    size = mask.width
    center = size / 2
    # Pillow wants the inverse map: output pixel -> input position.
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
    """One centred digit, oversampled: mode "L", side a multiple of `image_size`."""
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
    """Samples a pixel each way: more where they are cheap and the strokes thin."""
    if image_size <= 32:
        return 4
    return 2 if image_size <= 64 else 1


@functools.lru_cache(maxsize=2)
def _font(size, stroke):
    """The font in which a stroked "8" is `_HEIGHT * size` pixels high."""
    probe = ImageFont.load_default(size)
    _, top, _, bottom = probe.getbbox("8")
    return ImageFont.load_default(size * (_HEIGHT * size - 2 * stroke) / (bottom - top))
