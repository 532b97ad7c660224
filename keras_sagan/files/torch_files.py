"""Reads the arrays of a PyTorch checkpoint without PyTorch, and without running it.

A checkpoint is a pickle that refers to raw storages: in a zip archive since PyTorch
1.6, before that one after the other in the file. The pickle may name nothing but the
few functions that rebuild tensors, and what plain numbers beside them are made with;
anything else is refused.
"""

import collections
import contextlib
import io
import math
import os
import pickle
import struct
import typing
import zipfile

import numpy as np

from keras_sagan.files import paths, zip_files

_MAGIC = 0x1950A86A20F9469CFC6C
_CODES_LEFT_OUT = {
    *(pickle.DICT, pickle.ADDITEMS, pickle.FROZENSET),  # hash what they hold
    pickle.BYTEARRAY8,  # takes memory for bytes that are not there
}
_STORED = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": np.dtype("<u2"),  # the upper half of a float32
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("u1"),
}
# What NumPy's numbers (a best score, say) and loose sizes are pickled with. Nobody
# needs them, so that none of it is called.
_PASSED_OVER = {
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    ("torch", "Size"),
    ("torch", "device"),
}
_LARGEST_KEY = 1 << 31  # larger ints could be made to have the same hash
_LARGEST_SIZE = 1 << 63
_MOST_AXES = 32


def read(path, entry=None):
    """Reads a state dict.

    Args:
        path: str or path of a `.pth` file with a dict from names to tensors.
        entry: str, or `None`. The state dict is this entry of the dict in the file.

    Returns: dict from str to read-only NumPy array. Tensors that share a storage
        share their memory. Numbers of 16 bits are float32, which holds all of them:
        NumPy has no bfloat16.

    Raises:
        ValueError: if it is no such file, asks to run code, or holds a tensor that is
            not contiguous (row by row in its storage, without gaps).
        OSError: if it cannot be read.
    """
    path = paths.local(path)
    name = repr(str(path))
    with _naming(name):
        is_zip = zipfile.is_zipfile(path)
        content, load_storages = (_open_zip if is_zip else _open_legacy)(path)
    tensors = _state_dict(content, entry, name)
    with _naming(name):
        kinds = {tensor.storage.key: tensor.storage.kind for tensor in tensors.values()}
        storages = {
            key: _numbers(data, kinds[key]) for key, data in load_storages(set(kinds))
        }
    return {
        key: _array(tensor, storages[tensor.storage.key], f"{name}: its tensor {key!r}")
        for key, tensor in tensors.items()
    }


class _Storage(typing.NamedTuple):
    """Where the numbers of tensors are, and of which kind: a key of `_STORED`."""

    kind: str
    key: str


class _Tensor(typing.NamedTuple):
    """A tensor as its file describes it; nothing of it is checked yet."""

    storage: _Storage
    offset: object
    shape: object
    strides: object


@contextlib.contextmanager
def _naming(name):
    """Scope whose errors are a `ValueError` that names the file."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # whatever a file that is no checkpoint may bring
        reason = str(error).partition("\n")[0][:300]
        raise ValueError(
            f"{name} cannot be read as a PyTorch file of tensors: it is another kind "
            "of file, is incomplete, or asks to run code "
            f"({type(error).__name__}: {reason}). Nothing of it is run."
        ) from error


def _state_dict(content, entry, name):
    """The dict of tensors that is wanted."""
    state, what = content, "a dict of tensors"
    if entry is not None:
        state = content.get(entry) if isinstance(content, dict) else None
        what = f"a dict with the entry {entry!r}, a dict of tensors"
    if isinstance(state, dict):
        other = [key for key in state if not isinstance(state[key], _Tensor)]
        if not other:
            return {str(key): tensor for key, tensor in state.items()}
        received = f"its {other[0]!r}, {_tensor_text(state[other[0]])}"
    else:
        received = _tensor_text(content)
    raise ValueError(f"{name} must hold {what}. Received: {received:.300}.")


def _tensor_text(value):
    if isinstance(value, _Tensor):
        return "a tensor"
    if isinstance(value, dict):
        return f"a dict with the keys {list(value)[:5]}"
    return f"a {type(value).__name__}"


def _array(tensor, data, where):
    """A tensor as a part of its storage, whatever the file says of it."""
    _check_numbers(tensor, where)
    shape, strides, offset = tensor.shape, tensor.strides, tensor.offset
    if not _is_contiguous(shape, strides):
        raise ValueError(
            f"{where} must be contiguous. Received: shape {shape} with strides "
            f"{strides}. In PyTorch, `tensor.contiguous()` makes it so, before "
            "`torch.save`."
        )
    count = math.prod(shape)
    if offset > len(data) or count > len(data) - offset:
        raise ValueError(
            f"{where} of {count} numbers from number {offset} on reaches beyond its "
            f"storage of {len(data)} numbers."
        )
    return data[offset : offset + count].reshape(shape)


def _check_numbers(tensor, where):
    """Raises a `ValueError` unless shape, strides and offset can be those of one."""
    shape, strides = tensor.shape, tensor.strides
    if not isinstance(shape, tuple) or not isinstance(strides, tuple):
        raise ValueError(f"{where} must have tuples for its shape and strides.")
    if len(shape) != len(strides) or len(shape) > _MOST_AXES:
        raise ValueError(
            f"{where} must have as many strides as axes, and at most {_MOST_AXES} "
            f"axes. Received: {len(shape)} axes and {len(strides)} strides."
        )
    for number in (*shape, *strides, tensor.offset):
        if type(number) is not int or number < 0:
            raise ValueError(
                f"{where} must have whole numbers from 0 for its shape, strides and "
                "offset."
            )
        if number >= _LARGEST_SIZE:  # no message could say so many digits
            raise ValueError(f"{where} reaches beyond its storage.")


def _is_contiguous(shape, strides):
    """Whether a tensor lies in its storage row by row; strides of one item are free."""
    if 0 in shape:
        return True
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


def _numbers(data, kind):
    """The bytes of a storage as a read-only array `(numbers,)`."""
    numbers = np.frombuffer(data, _STORED[kind])
    if kind == "BFloat16Storage":
        wide = numbers.astype(np.uint32)
        wide <<= 16
        numbers = wide.view(np.float32)
    elif kind == "HalfStorage":
        numbers = numbers.astype(np.float32)
    elif kind == "BoolStorage":
        numbers = numbers != 0
    numbers.flags.writeable = False
    return numbers


class _Unpickler(pickle._Unpickler):
    """Knows tensors, dicts, lists and plain values only.

    The one written in Python: C's fills memory up to any place that a pickle names.
    Keys are texts or small numbers: the hash of tuples of tuples may take for ever.

    Attributes:
        kinds: dict from the keys of the storages that were named to their kinds.
    """

    dispatch = {
        code: load
        for code, load in pickle._Unpickler.dispatch.items()
        if bytes([code]) not in _CODES_LEFT_OUT
    }

    def __init__(self, file):
        super().__init__(file)
        self.kinds = {}

    def load_setitem(self):
        self._check_keys(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self):
        self._check_keys(self.stack[0::2])
        super().load_setitems()

    def load_build(self):
        """Drops the state: an `OrderedDict`'s attributes, a dtype's byte order."""
        self.stack.pop()

    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.BUILD[0]] = load_build

    def _check_keys(self, keys):
        for key in keys:
            small = type(key) is int and 0 <= key < _LARGEST_KEY
            if not (small or isinstance(key, str)):
                raise pickle.UnpicklingError("a key is neither text nor a small number")

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return _empty_dict
        if module == "torch" and name in _STORED:
            return name
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _first_record
        if (module, name) in _PASSED_OVER:
            return _nothing
        raise pickle.UnpicklingError(f"it refers to {module}.{name}")

    def persistent_load(self, pid):
        what, kind, key = pid[:3]
        if not isinstance(what, str) or what != "storage":
            raise pickle.UnpicklingError("it refers to more than storages")
        if not isinstance(kind, str) or kind not in _STORED:
            raise pickle.UnpicklingError("it refers to another kind of storage")
        if not isinstance(key, str | int):
            raise pickle.UnpicklingError("a storage has no name")
        if any(view is not None for view in pid[5:]):
            raise pickle.UnpicklingError("it refers to a view of a storage")
        key = str(key)
        if self.kinds.setdefault(key, kind) != kind:
            raise pickle.UnpicklingError(f"its storage {key!r} is of two kinds")
        return _Storage(kind, key)


def _empty_dict():
    """An `OrderedDict`, without what its constructor takes."""
    return collections.OrderedDict()


def _tensor(storage, offset, shape, strides, *_):
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor has no storage")
    return _Tensor(storage, offset, shape, strides)


def _first_record(data, *_):
    return data


def _nothing(*_):
    return None


def _open_zip(path):
    """The content, and a function from keys to pairs of a key and its bytes."""
    with zip_files.opened(path, may_be_compressed=False) as archive:
        names = set(archive.namelist())
        roots = [name[: -len("data.pkl")] for name in names if _is_content(name)]
        if len(roots) != 1:
            raise ValueError("an archive needs one entry 'data.pkl'")
        (root,) = roots
        order = f"{root}byteorder"
        if order in names and archive.read(order) != b"little":
            raise ValueError("it is of another byte order")
        content = _Unpickler(io.BytesIO(archive.read(f"{root}data.pkl"))).load()

    def load_storages(keys):
        with zip_files.opened(path, may_be_compressed=False) as archive:
            return [(key, archive.read(f"{root}data/{key}")) for key in keys]

    return content, load_storages


def _is_content(name):
    return name.rpartition("/")[2] == "data.pkl"


def _open_legacy(path):
    """As `_open_zip`, of a file that is no archive."""
    with path.open("rb") as file:
        magic, _, system = (_Unpickler(file).load() for _ in range(3))
        if magic != _MAGIC:
            raise ValueError("it does not begin as such files do")
        if isinstance(system, dict) and system.get("little_endian", True) is not True:
            raise ValueError("it is of another byte order")
        unpickler = _Unpickler(file)
        content = unpickler.load()
        places = _storage_places(file, _Unpickler(file).load(), unpickler.kinds)

    def load_storages(keys):
        with path.open("rb") as file:
            for key in keys:
                start, size = places[key]
                file.seek(start)
                yield key, file.read(size)

    return content, load_storages


def _storage_places(file, keys, kinds):
    """Where the storages are that follow: dict from key to `(start, size)` in bytes."""
    places = {}
    end = os.fstat(file.fileno()).st_size
    for key in map(str, keys):
        (count,) = struct.unpack("<q", file.read(8))
        start, size = file.tell(), count * _STORED[kinds[key]].itemsize
        if not 0 <= size <= end - start:
            raise ValueError(
                f"its storage {key!r} has {size} bytes, of which {end - start} are left"
            )
        places[key] = start, size
        file.seek(start + size)
    return places
