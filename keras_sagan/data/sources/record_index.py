"""The index of a prepared data set: the labels, and the sizes of the shards.

With it, a data set of a million pictures is opened without reading any of them, and a
shard that was damaged or replaced is noticed before training.
"""

import io
import zipfile

import numpy as np

from keras_sagan.files import npz_files

FILE = "index.npz"


def content(sizes, labels=None):
    """Returns the content of the file of an index: bytes.

    Args:
        sizes: sequence of int. Size of each shard in bytes.
        labels: sequence of int with the labels of all pictures in stored order, or
            `None`.
    """
    file = io.BytesIO()
    arrays = {} if labels is None else {"labels": np.array(labels, np.int32)}
    np.savez(file, sizes=np.array(sizes, np.int64), **arrays)
    return file.getvalue()


def read(path, shard_lengths, labelled):
    """Reads an index.

    Args:
        path: path of its file.
        shard_lengths: sequence of int. Number of pictures in each shard.
        labelled: bool. Whether the pictures have labels.

    Returns:
        Tuple `(sizes, labels)`: list of the sizes of the shards in bytes, and int64
        array of the labels of all pictures, or `None`.

    Raises:
        ValueError: if it is not the index of such shards.
        OSError: if it cannot be read.
    """
    try:
        arrays = npz_files.read(path, may_be_compressed=False)
    except (ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    shapes = {"sizes": (len(shard_lengths),)}
    if labelled:
        shapes["labels"] = (sum(shard_lengths),)
    found = {name: (array.shape, array.dtype.kind) for name, array in arrays.items()}
    wanted = {name: (shape, "i") for name, shape in shapes.items()}
    if found != wanted:
        raise ValueError(
            f"{path} is not the index of these shards: it must hold {wanted}. "
            f"Received: {found}."
        )
    labels = arrays["labels"].astype(np.int64) if labelled else None
    return arrays["sizes"].tolist(), labels
