"""Bodies of requests in the encodings that HTTP gives them."""

import zlib

from keras_sagan.serving.errors import invalid

_GZIP, _ZLIB, _RAW = 31, 15, -15  # `wbits` of zlib


def decoded(body, encoding, max_bytes):
    """Returns the bytes of a body, `max_bytes` of them at most.

    Args:
        body: bytes.
        encoding: str. The header `Content-Encoding`: gzip, deflate, identity or empty.
        max_bytes: int. How far to go, however much a small body would unfold to.

    Raises:
        ServingError: `INVALID_ARGUMENT` for another encoding, or a body that is not
            of its encoding or cut off.
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
    # RFC 9110 says zlib's format; some send the bare stream within. The low half of
    # zlib's first byte is 8.
    return _ZLIB if body[0] & 0x0F == 8 else _RAW


def _inflated(body, window, max_bytes):
    """A gzip file may be several, one after the other."""
    pieces, left = [], max_bytes
    while body and left:
        stream = zlib.decompressobj(window)
        pieces.append(stream.decompress(body, left))
        left -= len(pieces[-1])
        if left and not stream.eof:
            raise invalid("The compressed body is cut off.")
        body = stream.unused_data
    return b"".join(pieces)
