"""Pictures inside a page: as data URLs, within a number of bytes."""

import base64
import io

import numpy as np
from PIL import Image

from keras_sagan.visualize import files

_QUALITIES = (90, 75, 60, 40)  # of JPEG


def png_url(pixels):
    """A uint8 array `(height, width, channels)` as a `data:` URL, without loss."""
    return _url(_encoded(files.to_image(pixels), "PNG"), "png")


def sample_urls(samples, most, most_bytes):
    """Samples over time as `data:` URLs.

    Args:
        samples: list of `(step, path)` of PNG files.
        most: int. Pictures at most: the first, the last, and others spread between.
        most_bytes: int. For all of them together. Where PNG takes more, it is JPEG, at
            the best quality that fits, then fewer pictures.

    Returns: list of `(step, url)`, by step. Files that cannot be read are left out.
    """
    images = [(step, image) for step, path in samples if (image := _read(path))]
    while images:
        if len(images) > most:
            picked = np.unique(np.linspace(0, len(images) - 1, most).round())
            images = [images[int(i)] for i in picked]
        for urls in _attempts(images):
            if sum(len(url) for _, url in urls) <= most_bytes:
                return urls
        most = len(images) // 2
        images = images if most else []
    return []


def _attempts(images):
    yield [(step, _url(_encoded(image, "PNG"), "png")) for step, image in images]
    for quality in _QUALITIES:
        yield [
            (step, _url(_encoded(_opaque(image), "JPEG", quality=quality), "jpeg"))
            for step, image in images
        ]


def _opaque(image):
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")


def _read(path):
    try:
        with Image.open(path) as image:
            image.load()
            return image.copy()
    except OSError:
        return None


def _encoded(image, kind, **settings):
    stream = io.BytesIO()
    image.save(stream, format=kind, optimize=True, **settings)
    return stream.getvalue()


def _url(content, kind):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
