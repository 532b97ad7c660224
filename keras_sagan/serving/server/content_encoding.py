"""Decodes compressed bodies of HTTP requests, up to a limit."""

import zlib

from keras_sagan.serving.errors import invalid

_GZIP, _ZLIB, _RAW = 31, 15, -15  # `wbits` of zlib


def decoded(body, encoding, max_bytes):
    """Returns at most `max_bytes` bytes of a decoded body.

    Args:
        body: bytes.
        encoding: str. The header `Content-Encoding`: gzip, deflate, identity or empty.
        max_bytes: int. Number of bytes after which to stop, because a small body may
            expand to a very large one.

    Raises:
        ServingError: `INVALID_ARGUMENT` if the encoding is not supported, or if the
            body is truncated or not in that encoding.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body[:max_bytes]
    if name not in ("gzip", "x-gzip", "deflate"):
        raise invalid(
            f"Content-Encoding must be gzip, deflate or none. Received: "
            f"{encoding[:80]!r}."
        )
    if not body:
        return body
    try:
        return _inflated(body, _window(name, body), max_bytes)
    except zlib.error as error:
        raise invalid(f"The body is not {name}: {error}.") from error


def _window(name, body):
    if name != "deflate":
        return _GZIP
    # "deflate" means the zlib format (RFC 9110), but some clients send the raw stream
    # inside it. The lower half of the first byte of the zlib format is 8.
    return _ZLIB if body[0] & 0x0F == 8 else _RAW


def _inflated(body, window, max_bytes):
    """Decompresses a body; gzip allows several members, one after the other."""
    pieces, left = [], max_bytes
    while body and left:
        stream = zlib.decompressobj(window)
        pieces.append(stream.decompress(body, left))
        left -= len(pieces[-1])
        if left and not stream.eof:
            raise invalid("The compressed body is cut off.")
        body = stream.unused_data
    return b"".join(pieces)
