"""Reads untrusted TFRecord files: where each record lies."""

import os

_LENGTH = 8  # bytes
BEFORE, AFTER = 12, 4  # bytes around a record: its length, and the checksums of both
_GZIP = b"\x1f\x8b"


def records(path):
    """Where the records of an uncompressed file are.

    TensorFlow would ask for as much memory as a length says. The checksums are left to
    it.

    Args:
        path: path of the file.

    Returns:
        list of `(start, size)` in bytes, in stored order.

    Raises:
        ValueError: if it is no such file, or was truncated.
        OSError: if it cannot be read.
    """
    found, position = [], 0
    with open(path, "rb") as file:
        number, whole = file.fileno(), os.fstat(file.fileno()).st_size
        if os.pread(number, len(_GZIP), 0) == _GZIP:
            raise ValueError("it is compressed: unpack it")
        while position < whole:
            header = os.pread(number, _LENGTH, position)
            size = int.from_bytes(header, "little")
            if not 0 < size <= whole - position - BEFORE - AFTER:
                raise ValueError(
                    f"it is no TFRecord file, or was truncated: a record of {size} "
                    f"bytes at byte {position} is not in its {whole} bytes"
                )
            found.append((position + BEFORE, size))
            position += BEFORE + size + AFTER
    return found
