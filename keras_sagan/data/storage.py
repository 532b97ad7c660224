"""Where things are kept: directories, and room for decoded images."""

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
        cache_dir: path or `None`. "~" is the home directory.

    Returns:
        str.
    """
    directory = cache_dir or os.environ.get("TFDS_DATA_DIR")
    return str(paths.local(directory or "~/tensorflow_datasets"))


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
    os.makedirs(directory, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory, prefix="keras_sagan_") as file:
        if hasattr(os, "posix_fallocate"):  # a full disk fails here, not in a write
            os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, np.uint8, "w+", shape=shape)
