"""Finds the records in untrusted TFRecord files."""

import os

_LENGTH = 8  # bytes
BEFORE, AFTER = 12, 4  # bytes around a record: its length, and the checksums of both
_GZIP = b"\x1f\x8b"


def records(path):
    """Finds the records in an uncompressed file, and checks their lengths.

    TensorFlow allocates as much memory as a length says, even if the file is smaller.
    Checksums are not checked here, because TensorFlow does that when it reads.

    Args:
        path: path of the file.

    Returns:
        list of `(start, size)` in bytes, in stored order.

    Raises:
        ValueError: if it is another kind of file, or was truncated.
        OSError: if it cannot be read.
    """
    places, position = [], 0
    with open(path, "rb") as file:
        number, total = file.fileno(), os.fstat(file.fileno()).st_size
        if os.pread(number, len(_GZIP), 0) == _GZIP:
            raise ValueError("it is compressed: unpack it")
        while position < total:
            header = os.pread(number, _LENGTH, position)
            size = int.from_bytes(header, "little")
            if not 0 < size <= total - position - BEFORE - AFTER:
                raise ValueError(
                    f"it is not a TFRecord file, or was truncated: a record of {size} "
                    f"bytes at byte {position} does not fit into its {total} bytes"
                )
            places.append((position + BEFORE, size))
            position += BEFORE + size + AFTER
    return places
