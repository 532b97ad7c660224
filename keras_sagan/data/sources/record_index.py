"""The index beside the shards of a prepared data set: labels, and sizes of the files.

With it a million pictures are opened without reading one of them, and a shard that is
not the one that was written is noticed before training.
"""

import io
import zipfile

import numpy as np

from keras_sagan.files import npz_files

FILE = "index.npz"


def content(sizes, labels=None):
    """An index as the bytes of its file.

    Args:
        sizes: sequence of int. Bytes of each shard.
        labels: sequence of int, one a picture in stored order, or `None`.
    """
    file = io.BytesIO()
    arrays = {} if labels is None else {"labels": np.array(labels, np.int32)}
    np.savez(file, sizes=np.array(sizes, np.int64), **arrays)
    return file.getvalue()


def read(path, shard_lengths, labelled):
    """Reads an index.

    Args:
        path: path of its file.
        shard_lengths: sequence of int. Pictures of each shard.
        labelled: bool. Whether the pictures have labels.

    Returns:
        `(sizes, labels)`: list of int, one a shard, and int64 array, one a picture, or
        `None`.

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
