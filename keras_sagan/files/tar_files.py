"""Finds the files in untrusted tar archives, without unpacking them."""

import os
import tarfile
import typing

_BLOCK = 512  # bytes
_LONGEST = 1 << 14  # bytes of the description of a file, apart from its header


class Member(typing.NamedTuple):
    """An entry of an archive.

    Attributes:
        name: str. It may be any text, including a path outside the archive.
        start: int. Position of the first byte of a file in the archive, or `None` for a
            link, a device or a sparse file.
        size: int. Size of a file in bytes.
    """

    name: str
    start: int | None
    size: int


def members(path):
    """Yields the entries of an uncompressed archive, except folders, in stored order.

    Args:
        path: path of the archive.

    Yields: `Member`.

    Raises:
        ValueError: if it is another kind of file, was truncated, or describes files
            that are not in it.
        OSError: if it cannot be read.
    """
    with open(path, "rb") as file:
        bounded = _Bounded(file)
        try:
            with tarfile.TarFile(fileobj=bounded) as archive:
                while (entry := archive.next()) is not None:
                    archive.members = []  # `tarfile` would keep all entries
                    if entry.isreg() and not entry.issparse():
                        bounded.check(entry.offset_data, entry.size)
                        yield Member(entry.name, entry.offset_data, entry.size)
                    elif not entry.isdir():
                        yield Member(entry.name, None, 0)
        except (tarfile.TarError, UnicodeError, RecursionError) as error:
            raise ValueError(
                f"it is not an uncompressed tar archive ({error})"
            ) from error
        if bounded.last != bytes(_BLOCK):  # `tarfile` also stops at a damaged header
            raise ValueError(
                f"it was truncated, or is damaged, at byte {file.tell()}: its end mark "
                "is missing"
            )


class _Bounded:
    """A file that stops `tarfile` from reading or seeking beyond what is reasonable.

    `tarfile` reads as many bytes as a header says, and seeks to any position.
    """

    def __init__(self, file):
        self._file, self._size = file, os.fstat(file.fileno()).st_size
        self._furthest = 0
        self.last = b""  # bytes returned by the last call of `read`

    def check(self, start, size):
        if not 0 <= size <= self._size - start:
            raise ValueError(
                f"it was truncated: a file of {size} bytes at byte {start} does not "
                f"fit into its {self._size} bytes"
            )

    def read(self, size):
        if not 0 <= size <= _LONGEST:
            raise ValueError(f"the description of a file has {size} bytes")
        self.last = self._file.read(size)
        self._furthest = self._file.tell()
        return self.last

    def seek(self, position):
        # Before reading a header, `tarfile` reads the byte in front of it.
        if position < self._furthest - 1:
            raise ValueError(f"a header before byte {self._furthest} points backwards")
        self.check(position, 0)
        self._file.seek(position)

    def tell(self):
        return self._file.tell()
