"""Pictures of any size and mode -> square uint8 arrays of one size."""

import numpy as np
from PIL import Image

MODES = {1: "L", 3: "RGB", 4: "RGBA"}

# What a transparent pixel shows where the result has no alpha channel.
BACKGROUND = (255, 255, 255, 255)

FITS = ("crop", "pad")


def to_array(image, image_size, channels, fit="crop"):
    """Converts one picture, makes it square and resizes it.

    Modes: palette, two-level, CMYK and YCbCr pictures are converted by Pillow;
    16-bit grey is scaled to 8 bits (65535 -> 255); an alpha channel is composited
    over white unless `channels` is 4, where a picture without alpha becomes opaque.
    Grey from colour is Rec. 601 luma. Colour profiles are ignored.

    Square: the centre is cut out ("crop"), or black borders are added ("pad";
    transparent ones where the result has an alpha channel). Resized with Pillow's
    antialiased Lanczos filter where it is larger than asked and bicubic where it is
    smaller (which rings less); where the size is right the pixels are untouched.

    Args:
        image: `PIL.Image.Image`.
        image_size: int. Height and width of the result in pixels.
        channels: int. 1 (grey), 3 (RGB) or 4 (RGBA).
        fit: "crop" or "pad".

    Returns:
        uint8 array `(image_size, image_size, channels)`.
    """
    image = _converted(image, MODES[channels])
    if fit == "pad":
        image = _padded(image)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    # Not `resize(box=...)`, whose filter sees what lies outside the box.
    image = image.crop((left, top, left + side, top + side))
    if side != image_size:
        shrinks = side > image_size
        sampling = Image.Resampling.LANCZOS if shrinks else Image.Resampling.BICUBIC
        image = image.resize((image_size, image_size), sampling)
    return np.asarray(image).reshape(image_size, image_size, channels)


def _padded(image):
    """The picture in the middle of a square of its longer side."""
    side = max(image.size)
    square = Image.new(image.mode, (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def _converted(image, mode):
    """The picture in mode "L", "RGB" or "RGBA"."""
    if image.mode == mode and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if mode != "RGBA":
            backdrop = Image.new("RGBA", image.size, BACKGROUND)
            image = Image.alpha_composite(backdrop, image)
    return image.convert(mode)


def _eight_bits(image):
    """16-bit grey (modes "I;16", "I;16B", "I") as mode "L"."""
    values = np.asarray(image).astype(np.float32)
    return Image.fromarray(np.rint(values / 257).clip(0, 255).astype(np.uint8))
