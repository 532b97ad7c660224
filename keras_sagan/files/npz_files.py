"""NumPy's `.npz` files of others: numbers and texts, no Python objects."""

import math
import sys

import numpy as np

from keras_sagan.files import zip_files

_KINDS = "biufU"
_ENDING = ".npy"
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def names(path):
    """The names of the arrays in a file, in its order: list of str.

    Raises:
        ValueError: if it is no such file.
        OSError: if it cannot be read.
    """
    with zip_files.opened(path) as archive:
        return [name.removesuffix(_ENDING) for name in archive.namelist()]


def read(path, may_be_compressed=True, wanted=None):
    """The arrays of a file that `numpy.savez` or `savez_compressed` may have written.

    Args:
        path: str or path.
        may_be_compressed: bool. See `zip_files.opened`.
        wanted: set of str, or `None` for all. Names of the arrays that are read.

    Returns: dict of str to array.

    Raises:
        ValueError: if it is no such file, holds Python objects, or arrays that are
            larger than the file says elsewhere.
        OSError: if it cannot be read.
    """
    with zip_files.opened(path, may_be_compressed) as archive:
        return {
            name: _array(archive, entry)
            for entry in archive.infolist()
            for name in [entry.filename.removesuffix(_ENDING)]
            if wanted is None or name in wanted
        }


def _array(archive, entry):
    with archive.open(entry) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"its entry {entry.filename!r} is of another format.")
        shape, _, dtype = _HEADERS[version](stream)
        _check(entry, shape, dtype, entry.file_size - stream.tell())
    with archive.open(entry) as stream:
        found = np.lib.format.read_array(stream, allow_pickle=False)
    if dtype.kind == "U":
        _check_text(entry, found)
    return found


def _check(entry, shape, dtype, available):
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are not read.")
    if dtype.kind not in _KINDS or dtype.subdtype:
        raise ValueError(
            f"its entry {entry.filename!r} must be of numbers or of texts. "
            f"Received: dtype {str(dtype)[:100]}."
        )
    wanted = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or wanted != available:
        raise ValueError(
            f"its entry {entry.filename!r} has {available} bytes for an array of "
            f"shape {shape} and dtype {dtype}."
        )


def _check_text(entry, array):
    """NumPy takes any 32 bits for a character; Python then ends in a `SystemError`."""
    kind = np.dtype(np.uint32).newbyteorder(array.dtype.byteorder)
    codes = np.frombuffer(array.tobytes() or bytes(4), kind)
    bad = codes[(codes > sys.maxunicode) | ((codes >= 0xD800) & (codes < 0xE000))]
    if bad.size:
        raise ValueError(
            f"its entry {entry.filename!r} must be Unicode text. Received: a "
            f"character {bad[0]:#x}."
        )
