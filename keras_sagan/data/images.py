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

    Square: the centre is cut out and resized ("crop"), or the picture is resized and
    gets black borders ("pad"; transparent ones where the result has an alpha channel).
    Resized with Pillow's antialiased Lanczos filter where it is larger than asked and
    bicubic where it is smaller (which rings less); where the size is right the pixels
    are untouched.

    Args:
        image: `PIL.Image.Image`.
        image_size: int. Height and width of the result in pixels.
        channels: int. 1 (grey), 3 (RGB) or 4 (RGBA).
        fit: "crop" or "pad".

    Returns:
        uint8 array `(image_size, image_size, channels)`.
    """
    image = converted(image, MODES[channels])
    image = _padded(image, image_size) if fit == "pad" else _cropped(image, image_size)
    return np.asarray(image).reshape(image_size, image_size, channels)


def _cropped(image, image_size):
    """The square in the middle, resized."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    if image.width != image.height:
        # Not `resize(box=...)`, whose filter sees what lies outside the box.
        image = image.crop((left, top, left + side, top + side))
    return _resized(image, (image_size, image_size))


def _padded(image, image_size):
    """The whole picture, resized, in the middle of a square.

    Resized first: the square of a very long picture would be far larger than it.
    """
    longer = max(image.size)
    size = [max(1, round(side * image_size / longer)) for side in image.size]
    square = Image.new(image.mode, (image_size, image_size))
    left, top = ((image_size - side) // 2 for side in size)
    square.paste(_resized(image, tuple(size)), (left, top))
    return square


def _resized(image, size):
    if image.size == size:
        return image
    shrinks = max(image.size) > max(size)
    sampling = Image.Resampling.LANCZOS if shrinks else Image.Resampling.BICUBIC
    return image.resize(size, sampling)


def converted(image, mode):
    """The picture in mode "L", "RGB" or "RGBA"; see `to_array`."""
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
    """16-bit grey (modes "I;16", "I;16B", "I") as "L", or "LA" with transparency."""
    values = np.asarray(image).astype(np.float32)
    grey = Image.fromarray(np.rint(values / 257).clip(0, 255).astype(np.uint8))
    transparent = image.info.get("transparency")  # one of the 65,536 values
    if transparent is None:
        return grey
    opaque = Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, opaque))
