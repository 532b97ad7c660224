"""`test_rest_server` sends each encoding to a server, well and badly formed."""

import gzip
import zlib

import pytest

from keras_sagan.serving.errors import ServingError
from keras_sagan.serving.server.content_encoding import decoded


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("gzip", gzip.compress),
        ("gzip", lambda x: gzip.compress(x[:9]) + gzip.compress(x[9:])),
        ("deflate", zlib.compress),
    ],
)
def test_no_more_than_asked_for(encoding, pack):
    body = bytes(range(256)) * 8
    for size in (1, 9, 10, 2047):
        assert decoded(pack(body), encoding, size) == body[:size]
    for size in (2048, 2049, 10**6):
        assert decoded(pack(body), encoding, size) == body


def test_an_empty_body_is_empty_in_every_encoding():
    assert decoded(b"", "gzip", 9) == b""
    with pytest.raises(ServingError, match="cut off"):
        decoded(gzip.compress(b"x" * 99)[:-1], "gzip", 1000)
