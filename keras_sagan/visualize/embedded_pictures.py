"""Encodes pictures as data URLs inside a page, within a limited size."""

import base64
import io

import numpy as np
from PIL import Image

from keras_sagan.visualize import files

# Format, JPEG quality, and factor of height and width, from best to smallest.
_ATTEMPTS = (
    ("PNG", None, 1),
    *(("JPEG", quality, 1) for quality in (90, 75, 60)),
    *(("JPEG", quality, 0.5) for quality in (75, 60, 40)),
    ("JPEG", 40, 0.25),
)


def png_url(pixels):
    """Encodes a uint8 array `(height, width, channels)` as a `data:` URL, as PNG."""
    return _url(_encoded_picture(files.to_image(pixels), "PNG"), "png")


def sample_urls(samples, most, most_bytes):
    """Encodes grids of samples as `data:` URLs, within a total size.

    Args:
        samples: list of `(step, path)` of PNG files, sorted by step.
        most: int. Largest number of pictures. If there are more, it is the first, the
            last, and evenly spaced ones in between. The others are not read.
        most_bytes: int. Largest size of all URLs together. If PNG takes more, the
            pictures become JPEG at the best quality that fits, and then fewer.

    Returns: list of `(step, url)`, sorted by step. Unreadable files are left out.
    """
    images = _read_some(samples, most)
    while images:
        for attempt in _ATTEMPTS:
            urls = _within(images, most_bytes, *attempt)
            if urls is not None:
                return urls
        images = _spread_out(images, len(images) // 2)
    return []


def read_picture(path):
    """Decodes a PNG file, or returns `None` if it cannot be read or is too large."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            if image.width * image.height > Image.MAX_IMAGE_PIXELS:
                return None  # Pillow only warns of up to twice as many
            image.load()
            return image.copy()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _read_some(samples, most):
    picked = _spread_out(samples, most)
    return [(step, x) for step, path in picked if (x := read_picture(path))]


def _spread_out(items, most):
    """Returns at most `most` items: the first, the last, and evenly spaced ones."""
    if len(items) <= most:
        return items
    picked = np.unique(np.linspace(0, len(items) - 1, most).round()) if most else []
    return [items[int(i)] for i in picked]


def _within(images, most_bytes, kind, quality, scale):
    """Encodes pictures as URLs, or returns `None` if these exceed `most_bytes`."""
    urls, total = [], 0
    for step, image in images:
        if kind == "PNG":
            content = _encoded_picture(image, kind)
        else:
            content = _encoded_picture(_smaller(image, scale), kind, quality=quality)
        url = _url(content, kind.lower())
        total += len(url)
        if total > most_bytes:
            return None
        urls.append((step, url))
    return urls


def _smaller(image, scale):
    """Places a picture on white and multiplies its height and width by `scale`."""
    if image.mode == "RGBA":
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image).convert("RGB")
    if scale == 1:
        return image
    size = [max(1, round(side * scale)) for side in image.size]
    return image.resize(size, Image.Resampling.BOX)


def _encoded_picture(image, kind, **settings):
    stream = io.BytesIO()
    image.save(stream, format=kind, optimize=True, **settings)
    return stream.getvalue()


def _url(content, kind):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
