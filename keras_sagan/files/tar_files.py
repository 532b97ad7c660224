"""Reads untrusted tar archives: where each file in one lies. Nothing is unpacked."""

import os
import tarfile
import typing

_BLOCK = 512  # bytes
_LONGEST = 1 << 14  # bytes of what describes a file beside its header


class Member(typing.NamedTuple):
    """What an archive holds under a name.

    Attributes:
        name: str. May be any text, also a path to somewhere else.
        start: int. Where the bytes of a file begin, or `None` of what is none: a link,
            a device, a file with holes.
        size: int. Bytes of a file.
    """

    name: str
    start: int | None
    size: int


def members(path):
    """Yields what an uncompressed archive holds, but for folders, in stored order.

    Args:
        path: path of the archive.

    Yields: `Member`.

    Raises:
        ValueError: if it is no such archive, was truncated, or describes files that are
            not in it.
        OSError: if it cannot be read.
    """
    with open(path, "rb") as file:
        bounded = _Bounded(file)
        try:
            with tarfile.TarFile(fileobj=bounded) as archive:
                while (entry := archive.next()) is not None:
                    archive.members = []  # it keeps all that it has seen
                    if entry.isreg() and not entry.issparse():
                        bounded.check(entry.offset_data, entry.size)
                        yield Member(entry.name, entry.offset_data, entry.size)
                    elif not entry.isdir():
                        yield Member(entry.name, None, 0)
        except (tarfile.TarError, UnicodeError, RecursionError) as error:
            raise ValueError(f"it is no uncompressed tar archive ({error})") from error
        if bounded.last != bytes(_BLOCK):  # also where a header is damaged
            raise ValueError(
                f"it was truncated, or is damaged, at byte {file.tell()}: there is no "
                "mark of its end"
            )


class _Bounded:
    """A file for `tarfile`, which reads as much as a header says, and goes anywhere."""

    def __init__(self, file):
        self._file, self._size = file, os.fstat(file.fileno()).st_size
        self._furthest = 0
        self.last = b""  # what was read last

    def check(self, start, size):
        if not 0 <= size <= self._size - start:
            raise ValueError(
                f"it was truncated: a file of {size} bytes at byte {start} is not in "
                f"its {self._size} bytes"
            )

    def read(self, size):
        if not 0 <= size <= _LONGEST:
            raise ValueError(f"it describes a file with {size} bytes")
        self.last = self._file.read(size)
        self._furthest = self._file.tell()
        return self.last

    def seek(self, position):
        # Before a header `tarfile` reads the byte that comes before it.
        if position < self._furthest - 1:
            raise ValueError(f"a header at byte {self._furthest} leads back")
        self.check(position, 0)
        self._file.seek(position)

    def tell(self):
        return self._file.tell()
