"""Finds directories for prepared data, and allocates space for decoded images."""

import errno
import functools
import math
import os
import tempfile

import numpy as np

from keras_sagan.files import paths

# Arrays with more bytes than this are mapped from a file.
MEMORY_LIMIT = 2**30


def data_dir(cache_dir=None):
    """Returns the directory in which prepared data are kept.

    Args:
        cache_dir: path or `None`. "~" stands for the home directory. Defaults to the
            environment variable TFDS_DATA_DIR or to the default of TFDS. For a user
            without a home directory that is a temporary directory of this process.

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
    """Returns `data_dir(cache_dir)`, and creates the directory if it is missing.

    If no directory was given and the home directory is not writable, a temporary one is
    used, which is removed when the process ends.

    Raises:
        OSError: if the given directory is not writable.
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
    """Returns a writable uint8 array of zeros, which is in a file if it is large.

    An array of more than `memory_limit` bytes is a memory map of a temporary file. The
    file has no name anymore when this function returns, so that the system frees its
    space once the array is gone, however the process ends.

    Args:
        shape: tuple of int.
        directory: str. Directory of the file. It is created if needed.
        memory_limit: int. Bytes.

    Returns:
        uint8 array of shape `shape`.

    Raises:
        OSError: if the directory is not writable or the disk is full.
    """
    size = math.prod(shape)
    if size <= memory_limit:
        return np.zeros(shape, np.uint8)
    _make(directory)
    with tempfile.TemporaryFile(dir=directory, prefix="keras_sagan_") as file:
        if hasattr(os, "posix_fallocate"):  # so that a full disk is an error here
            os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, np.uint8, "w+", shape=shape)
