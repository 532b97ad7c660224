"""PNG files of one size without anything but pixels, as `data prepare` writes them.

TensorFlow decodes them in the graph of a stream, in as many threads as there are cores.
Pillow needs Python's global lock for a third of its work. Other files may claim any
size, or have a palette, transparency or 16 bits, and are left to Pillow.
"""

import functools
import io
import struct
import zlib

from PIL import Image

_COLOR_TYPES = {1: 0, 3: 2, 4: 6}  # of PNG, by the number of channels
_BITS = 8


def is_plain(encoded, image_size, channels):
    """Returns whether bytes are such a file, with intact checksums.

    Args:
        encoded: bytes.
        image_size: int. Height and width in pixels.
        channels: 1, 3 or 4.
    """
    beginning, end = _beginning(image_size, channels), _chunk(b"IEND", b"")
    if not (encoded.startswith(beginning) and encoded.endswith(end)):
        return False
    place, stop = len(beginning), len(encoded) - len(end)
    while place < stop:  # in front of the 12 bytes of `end`
        length, kind = struct.unpack_from(">I4s", encoded, place)
        following = place + 12 + length
        if kind != b"IDAT" or following > stop:
            return False
        content = memoryview(encoded)[place + 4 : following - 4]
        if zlib.crc32(content) != int.from_bytes(encoded[following - 4 : following]):
            return False
        place = following
    return True


def encode(array):
    """Returns a plain PNG file (bytes) of a uint8 array `(height, width, channels)`."""
    image = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=0)  # it is decoded at once
    return file.getvalue()


def decode(files, shape):
    """Decodes plain PNG files in a TensorFlow graph.

    Args:
        files: string tensor `(count,)`.
        shape: tuple `(height, width, channels)` of each of them.

    Returns: uint8 tensor `(count, *shape)`.
    """
    import tensorflow as tf

    return tf.map_fn(
        lambda file: tf.ensure_shape(tf.io.decode_png(file, shape[-1]), shape),
        files,
        parallel_iterations=files.shape[0],
        fn_output_signature=tf.TensorSpec(shape, tf.uint8),
    )


@functools.cache
def _beginning(size, channels):
    header = struct.pack(">IIBBBBB", size, size, _BITS, _COLOR_TYPES[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)


def _chunk(kind, content):
    checksum = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + checksum
