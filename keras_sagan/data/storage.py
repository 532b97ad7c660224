"""Where things are kept: directories, and room for decoded images."""

import errno
import functools
import math
import os
import tempfile

import numpy as np

from keras_sagan.files import paths

# Arrays of more bytes than this are mapped from a file.
MEMORY_LIMIT = 2**30


def data_dir(cache_dir=None):
    """The data directory: the argument, else TFDS_DATA_DIR, else TFDS's own default.

    Args:
        cache_dir: path or `None`. "~" is the home directory; where there is none, the
            default is a directory of this process.

    Returns:
        str.
    """
    named = cache_dir or os.environ.get("TFDS_DATA_DIR")
    if named:
        return str(paths.local(named))
    try:
        return str(paths.local("~/tensorflow_datasets"))
    except ValueError:  # a user without a home directory
        return _of_this_process()


def writable_dir(cache_dir=None):
    """As `data_dir`, made where it is missing.

    Where nobody named a directory and the home directory cannot be written to, it is
    one of this process, which is removed at its end.

    Raises:
        OSError: if the directory that was named cannot be written to.
    """
    directory = data_dir(cache_dir)
    try:
        _make(directory)
    except OSError:
        if cache_dir or os.environ.get("TFDS_DATA_DIR"):
            raise
        return _of_this_process()
    return directory


def _make(directory):
    try:
        os.makedirs(directory, exist_ok=True)
        writable = os.access(directory, os.W_OK)
        reason = "" if writable else os.strerror(errno.EACCES)
    except OSError as error:
        reason = error.strerror
    if reason:
        raise OSError(
            f"Data cannot be kept in {directory!r}: {reason}. Name another directory "
            "(`cache_dir`, --cache-dir, or the environment variable TFDS_DATA_DIR)."
        )


@functools.cache
def _own_folder():
    return tempfile.TemporaryDirectory(prefix="keras_sagan_")  # until the process ends


def _of_this_process():
    return _own_folder().name


def allocate(shape, directory, memory_limit=MEMORY_LIMIT):
    """A writable uint8 array that stays out of memory when it is large.

    Above `memory_limit` the array is a memory map of a scratch file in `directory`.
    The file has no name any more when this returns: the system frees its space when
    the array is gone, whatever ends the process.

    Args:
        shape: tuple of int.
        directory: str. Made if needed; used only above the limit.
        memory_limit: int. Bytes.

    Returns:
        uint8 array of zeros.

    Raises:
        OSError: if the directory cannot be written or the disk is full.
    """
    size = math.prod(shape)
    if size <= memory_limit:
        return np.zeros(shape, np.uint8)
    _make(directory)
    with tempfile.TemporaryFile(dir=directory, prefix="keras_sagan_") as file:
        if hasattr(os, "posix_fallocate"):  # a full disk fails here, not in a write
            os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, np.uint8, "w+", shape=shape)
