"""Converts pictures of any size and mode to square uint8 arrays of one size."""

import numpy as np
from PIL import Image

MODES = {1: "L", 3: "RGB", 4: "RGBA"}

# Colour of transparent pixels if the result has no alpha channel.
BACKGROUND = (255, 255, 255, 255)

FITS = ("crop", "pad")


def to_array(image, image_size, channels, fit="crop"):
    """Converts a picture to the given channels, makes it square and resizes it.

    Palette, two-level, CMYK and YCbCr pictures are converted by Pillow. 16-bit grey is
    scaled to 8 bits (65535 -> 255), and colours become grey by the luma of Rec. 601.
    Pictures with an alpha channel are placed on white, unless `channels` is 4; pictures
    without one become opaque then. Colour profiles are ignored.

    To become square, a picture is cropped to its centre ("crop"), or it gets black
    borders ("pad"), which are transparent if the result has an alpha channel. It is
    reduced with Pillow's antialiased Lanczos filter or enlarged with the bicubic one,
    which rings less. If it has the right size already, the pixels are unchanged.

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
    """Cuts out the square in the middle and resizes it."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    if image.width != image.height:
        # The filter of `resize(box=...)` would use pixels from outside the box.
        image = image.crop((left, top, left + side, top + side))
    return _resized(image, (image_size, image_size))


def _padded(image, image_size):
    """Resizes the whole picture and places it in the middle of a square.

    It is resized first, because the square around a very long picture would be huge.
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
    """Converts a picture to mode "L", "RGB" or "RGBA"; see `to_array`."""
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
    """Converts 16-bit grey (modes "I;16", "I;16B", "I") to "L", or "LA" with alpha."""
    values = np.asarray(image).astype(np.float32)
    grey = Image.fromarray(np.rint(values / 257).clip(0, 255).astype(np.uint8))
    transparent = image.info.get("transparency")  # one of the 65,536 values
    if transparent is None:
        return grey
    opaque = Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, opaque))
