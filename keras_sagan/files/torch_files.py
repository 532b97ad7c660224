"""Reads the arrays of a PyTorch checkpoint without PyTorch, and without running it.

A checkpoint is a pickle that refers to raw storages: in a zip archive since PyTorch
1.6, before that one after the other in the file. The pickle may name nothing but the
few functions that rebuild tensors; anything else is refused.
"""

import collections
import io
import math
import pickle
import struct
import zipfile

import numpy as np

from keras_sagan.files import zip_files

_MAGIC = 0x1950A86A20F9469CFC6C
_CODES_LEFT_OUT = {
    *(pickle.DICT, pickle.ADDITEMS, pickle.FROZENSET),  # hash what they hold
    pickle.BYTEARRAY8,  # takes memory for bytes that are not there
}
_DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}


def read(path):
    """Reads a state dict.

    Args:
        path: path of a `.pth` file with a dict from names to tensors.

    Returns: dict from str to NumPy array.

    Raises:
        ValueError: if it is not such a file.
        OSError: if it cannot be read.
    """
    try:
        if zipfile.is_zipfile(path):
            content, storages = _read_zip(path)
        else:
            content, storages = _read_legacy(path)
        return {
            str(name): value.array(storages)
            for name, value in content.items()
            if isinstance(value, _Tensor)
        }
    except OSError:
        raise
    except Exception as error:  # whatever a file that is no checkpoint may bring
        raise ValueError(
            f"{str(path)!r} is no PyTorch file with a dict of tensors: "
            f"{type(error).__name__}: {error}"
        ) from error


class _Tensor:
    """A tensor whose storage has yet to be read."""

    def __init__(self, storage, offset, shape, strides):
        self.storage, self.offset = storage, offset
        self.shape, self.strides = tuple(shape), tuple(strides)

    def array(self, storages):
        dtype, key = self.storage
        data = np.frombuffer(storages[key], dtype)[self.offset :]
        steps = zip(self.shape, self.strides, strict=True)
        last = sum((size - 1) * step for size, step in steps)
        if min(self.shape, default=1) > 0 and not 0 <= last < len(data):
            raise ValueError("a tensor reaches beyond its storage")
        if math.prod(self.shape) > len(data):  # with strides of 0
            raise ValueError("a tensor is larger than its storage")
        strides = tuple(step * dtype.itemsize for step in self.strides)
        return np.lib.stride_tricks.as_strided(data, self.shape, strides).copy()


class _Unpickler(pickle._Unpickler):
    """Knows tensors and ordered dicts only.

    The one written in Python: C's fills memory up to any place that a pickle names.
    Keys are texts: the hash of tuples of tuples may take for ever.
    """

    dispatch = {
        code: load
        for code, load in pickle._Unpickler.dispatch.items()
        if bytes([code]) not in _CODES_LEFT_OUT
    }

    def load_setitem(self):
        self._check_keys(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self):
        self._check_keys(self.stack[0::2])
        super().load_setitems()

    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems

    def _check_keys(self, keys):
        if not all(isinstance(key, str) for key in keys):
            raise pickle.UnpicklingError("a key is no text")

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return _empty_dict
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: _Tensor(
                storage, offset, size, stride
            )
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, *_: data
        raise pickle.UnpicklingError(f"it refers to {module}.{name}")

    def persistent_load(self, pid):
        kind, dtype, key = pid[:3]
        if not isinstance(kind, str) or kind != "storage":
            raise pickle.UnpicklingError("it refers to more than storages")
        if not isinstance(dtype, np.dtype) or not isinstance(key, str | int):
            raise pickle.UnpicklingError("it refers to another kind of storage")
        return dtype, str(key)


def _empty_dict():
    """An `OrderedDict`, without what its constructor takes."""
    return collections.OrderedDict()


def _read_zip(path):
    with zip_files.opened(path, may_be_compressed=False) as archive:
        names = archive.namelist()
        root = next(x for x in names if x.endswith("data.pkl"))[: -len("data.pkl")]
        content = _Unpickler(io.BytesIO(archive.read(f"{root}data.pkl"))).load()
        prefix = f"{root}data/"
        storages = {
            name[len(prefix) :]: archive.read(name)
            for name in names
            if name.startswith(prefix)
        }
    return content, storages


def _read_legacy(path):
    with open(path, "rb") as file:
        magic, _, _ = (_Unpickler(file).load() for _ in range(3))
        if magic != _MAGIC:
            raise ValueError("it does not begin as such files do")
        content = _Unpickler(file).load()
        keys = _Unpickler(file).load()
        sizes = _item_sizes(content)
        storages = {}
        for key in keys:
            (count,) = struct.unpack("<q", file.read(8))
            storages[str(key)] = file.read(count * sizes[str(key)])
    return content, storages


def _item_sizes(content):
    tensors = [value for value in content.values() if isinstance(value, _Tensor)]
    return {tensor.storage[1]: tensor.storage[0].itemsize for tensor in tensors}
