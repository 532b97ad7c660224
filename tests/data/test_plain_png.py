"""PNG files that TensorFlow may decode, and those that it must not see."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, PngImagePlugin

from keras_sagan.data import plain_png


def array(channels, size=9):
    shape = (size, size, channels)
    return np.random.default_rng(channels).integers(0, 256, shape, np.uint8)


def written(image, **options):
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def picture(channels=3, size=9):
    return Image.fromarray(array(channels, size).squeeze())


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_are_those_of_pillow(channels):
    """As this package and as `data prepare` write them; with several chunks of data."""
    values = array(channels)
    large = picture(channels, 300)
    files = [plain_png.encode(values), written(picture(channels), compress_level=3)]
    assert all(plain_png.is_plain(x, 9, channels) for x in files)
    assert plain_png.is_plain(written(large), 300, channels)
    assert written(large).count(b"IDAT") > 1
    decoded = plain_png.decode(tf.constant(files), values.shape)
    np.testing.assert_array_equal(decoded, np.stack([values, values]))


def chunk(kind, content):
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def changed(place, content=b""):
    whole = written(picture())
    return whole[:place] + content + whole[place + len(content) :]


def notes():
    found = PngImagePlugin.PngInfo()
    found.add_text("Comment", "chunks of text are harmless, but not needed")
    return found


OTHERS = {
    "size": written(picture(3, 10)),
    "channels": written(picture(1)),
    "palette": written(picture().quantize(8)),
    "two levels": written(picture(1).convert("1")),
    "16 bits": written(Image.fromarray(array(1)[:, :, 0].astype(np.uint16))),
    "transparency": written(picture(), transparency=(1, 2, 3)),
    "text": written(picture(), pnginfo=notes()),
    "JPEG": b"\xff\xd8\xff" + bytes(99),
    "nothing": b"",
    "cut": written(picture())[:-20],
    "more": written(picture()) + b"x",
    "another end": written(picture())[:-12] + chunk(b"tEXT", b""),
    "header": changed(24, b"\x10"),
    "data": changed(60, b"abc"),
    "length": changed(33, b"\xff\xff\xff\xff"),
    "claims a size": changed(16, struct.pack(">II", 2**31 - 1, 2**31 - 1)),
    "claims a size, with its checksum": changed(
        8, chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_left_to_pillow(name):
    assert not plain_png.is_plain(OTHERS[name], 9, 3)
