"""Reads untrusted `.npz` files: arrays of numbers and text, never Python objects."""

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
    """Returns the names of the arrays in a file, a list of str in file order.

    Raises:
        ValueError: if the file is not an `.npz` file.
        OSError: if it cannot be read.
    """
    with zip_files.opened(path) as archive:
        return [name.removesuffix(_ENDING) for name in archive.namelist()]


def read(path, may_be_compressed=True, wanted=None):
    """Reads arrays that `numpy.savez` or `numpy.savez_compressed` wrote.

    Args:
        path: str or path.
        may_be_compressed: bool. See `zip_files.opened`.
        wanted: set of str, or `None` for all. Names of the arrays to read.

    Returns: dict from str to array.

    Raises:
        ValueError: if the file is not an `.npz` file, holds Python objects, or has an
            array whose shape does not match the size of its entry.
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
        # Before `read_array`, which allocates whatever shape the header claims.
        _check(entry, shape, dtype, entry.file_size - stream.tell())
    with archive.open(entry) as stream:
        array = np.lib.format.read_array(stream, allow_pickle=False)
    if dtype.kind == "U":
        _check_text(entry, array)
    return array


def _check(entry, shape, dtype, available):
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are not read.")
    if dtype.kind not in _KINDS or dtype.subdtype:
        raise ValueError(
            f"its entry {entry.filename!r} must hold numbers or text. "
            f"Received: dtype {str(dtype)[:100]}."
        )
    # NumPy would allocate `wanted` bytes, however few there are to read.
    wanted = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or wanted != available:
        raise ValueError(
            f"its entry {entry.filename!r} has {available} bytes for an array of "
            f"shape {shape} and dtype {dtype}."
        )


def _check_text(entry, array):
    """Refuses text that is not Unicode.

    NumPy accepts any 32 bits as a character; Python raises a `SystemError` once such a
    string is used.
    """
    kind = np.dtype(np.uint32).newbyteorder(array.dtype.byteorder)
    codes = np.frombuffer(array.tobytes() or bytes(4), kind)
    bad = codes[(codes > sys.maxunicode) | ((codes >= 0xD800) & (codes < 0xE000))]
    if bad.size:
        raise ValueError(
            f"its entry {entry.filename!r} must be Unicode text. Received: a "
            f"character {bad[0]:#x}."
        )
