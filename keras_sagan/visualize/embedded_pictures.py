"""Pictures inside a page: as data URLs, within a number of bytes."""

import base64
import io

import numpy as np
from PIL import Image

from keras_sagan.visualize import files

# Kind, quality of JPEG, share of the height and width.
_ATTEMPTS = (
    ("PNG", None, 1),
    *(("JPEG", quality, 1) for quality in (90, 75, 60)),
    *(("JPEG", quality, 0.5) for quality in (75, 60, 40)),
    ("JPEG", 40, 0.25),
)


def png_url(pixels):
    """A uint8 array `(height, width, channels)` as a `data:` URL, without loss."""
    return _url(_encoded_picture(files.to_image(pixels), "PNG"), "png")


def sample_urls(samples, most, most_bytes):
    """Samples over time as `data:` URLs.

    Args:
        samples: list of `(step, path)` of PNG files. No more than `most` are read.
        most: int. Pictures at most: the first, the last, and others spread between.
        most_bytes: int. For all of them together. Where PNG takes more, it is JPEG, at
            the best of `_ATTEMPTS` that fits, then fewer pictures.

    Returns: list of `(step, url)`, by step. Files that cannot be read are left out.
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
    """The picture in a PNG file, decoded; `None` if it cannot be read."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            image.load()
            return image.copy()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _read_some(samples, most):
    picked = _spread_out(samples, most)
    return [(step, x) for step, path in picked if (x := read_picture(path))]


def _spread_out(items, most):
    """At most `most` items: the first, the last, and others between."""
    if len(items) <= most:
        return items
    picked = np.unique(np.linspace(0, len(items) - 1, most).round()) if most else []
    return [items[int(i)] for i in picked]


def _within(images, most_bytes, kind, quality, scale):
    """The pictures as URLs, or `None` as soon as they take more than `most_bytes`."""
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
    """On white, and of that share of its height and width."""
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
