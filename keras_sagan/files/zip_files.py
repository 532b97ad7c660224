"""Opens untrusted zip archives, and refuses decompression bombs."""

import contextlib
import os
import zipfile

from keras_sagan.files import paths

_RATIO = 100  # of content to archive; real data do not compress any better
_SMALL = 1 << 26  # bytes that any archive may expand to, however small it is
_MOST_ENTRIES = 100_000
# The methods that NumPy and Keras use. For the others `zipfile` does not limit how far
# a single block expands.
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1


@contextlib.contextmanager
def opened(path, may_be_compressed=True):
    """Opens an archive once its table of contents has been checked.

    Args:
        path: str or path.
        may_be_compressed: bool. Whether entries may be deflated. They may then expand
            to 100 times the archive's size or 64 MiB, whichever is more.

    Yields: `zipfile.ZipFile`.

    Raises:
        ValueError: if the archive is not acceptable, or if reading it inside the scope
            raises any error.
        OSError: if the file does not exist or must not be read.
    """
    path = paths.local(path)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            with zipfile.ZipFile(file) as archive:
                _check(archive.infolist(), size, may_be_compressed)
                yield archive
        except Exception as error:  # damaged archives can make `zipfile` raise anything
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
    # `zipfile` never returns more of an entry than the size stated here.
    total = sum(entry.file_size for entry in entries)
    most = max(_SMALL, _RATIO * size) if may_be_compressed else size
    if total > most:
        raise ValueError(
            f"it has {size} bytes and would expand to {total}, more than {most} (a "
            "decompression bomb?)."
        )
