"""Zip archives of others: nothing that grows out of proportion when it is read."""

import contextlib
import zipfile

from keras_sagan.files import paths

_RATIO = 100  # content to archive, beyond which it is no honest data
_SMALL = 1 << 26  # bytes that any archive may unfold to
_MOST_ENTRIES = 100_000
# NumPy and Keras write these. Of the other methods `zipfile` does not bound what one
# block unfolds to.
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1


@contextlib.contextmanager
def opened(path, may_be_compressed=True):
    """Scope with a checked archive.

    Args:
        path: str or path.
        may_be_compressed: bool. Whether its entries may be deflated: to at most 100
            times the archive's size, or 64 MiB.

    Yields: `zipfile.ZipFile`.

    Raises:
        ValueError: if it is no such archive, also when that shows inside the scope.
        OSError: if it cannot be read.
    """
    path = paths.local(path)
    size = path.stat().st_size
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            _check(archive.infolist(), size, may_be_compressed)
            yield archive
    except FileNotFoundError:
        raise
    except Exception as error:  # whatever the bytes of others lead to
        reason = str(error) or type(error).__name__
        raise ValueError(f"{str(path)!r} cannot be read: {reason}") from error


def _check(entries, size, may_be_compressed):
    names = [entry.filename for entry in entries]
    if len(names) > _MOST_ENTRIES or len(set(names)) < len(names):
        raise ValueError("it has too many entries, or two of the same name.")
    for entry in entries:
        if entry.compress_type not in _METHODS or entry.flag_bits & _ENCRYPTED:
            raise ValueError(
                f"its entry {entry.filename!r} must be stored or deflated."
            )
        if not may_be_compressed and entry.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"its entry {entry.filename!r} must not be compressed.")
    total = sum(entry.file_size for entry in entries)
    most = max(_SMALL, _RATIO * size) if may_be_compressed else size
    if total > most:
        raise ValueError(
            f"it has {size} bytes and would unfold to {total}, more than {most} (a "
            "decompression bomb?)."
        )
