"""Reads the arrays of a PyTorch checkpoint without PyTorch and without running code.

A checkpoint is a pickle that refers to raw storages. Since PyTorch 1.6 they are entries
of a zip archive; before that, they followed the pickle in the file. The pickle may name
only the few functions that rebuild tensors and those that pickle plain numbers;
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
    # These hash their items, past the check of keys in `_Unpickler`.
    *(pickle.DICT, pickle.ADDITEMS, pickle.FROZENSET),
    pickle.BYTEARRAY8,  # allocates the size that it claims before it reads
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
# Names in the pickles of NumPy numbers (e.g. a best score) and of sizes. Their values
# are not needed, so these names load as a function that returns None.
_PASSED_OVER = {
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    ("torch", "Size"),
    ("torch", "device"),
}
_LARGEST_KEY = 1 << 31  # larger integers can be chosen to collide in the hash table
_LARGEST_SIZE = 1 << 63
_MOST_AXES = 32


def read(path, entry=None):
    """Reads a state dict.

    Args:
        path: str or path of a `.pth` file with a dict from names to tensors.
        entry: str, or `None`. If given, the state dict is this entry of the dict in
            the file.

    Returns: dict from str to read-only NumPy array. Tensors that share a storage
        share their memory. float16 and bfloat16 become float32, which represents
        them exactly (NumPy has no bfloat16).

    Raises:
        ValueError: if the file is not such a checkpoint, asks to run code, or holds a
            tensor that is not contiguous (row by row in its storage, without gaps).
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
    """A storage of numbers: their kind, a key of `_STORED`, and the storage's name."""

    kind: str
    key: str


class _Tensor(typing.NamedTuple):
    """A tensor as the file describes it, before any of that has been checked."""

    storage: _Storage
    offset: object
    shape: object
    strides: object


@contextlib.contextmanager
def _naming(name):
    """Turns any error but an `OSError` into a `ValueError` that names the file."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # unpickling arbitrary bytes can raise anything
        reason = str(error).partition("\n")[0][:300]
        raise ValueError(
            f"{name} cannot be read as a PyTorch file of tensors: it is another kind "
            "of file, is incomplete, or asks to run code "
            f"({type(error).__name__}: {reason}). Nothing of it is run."
        ) from error


def _state_dict(content, entry, name):
    """Returns the dict of tensors, or that of an entry, from a file's content."""
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
    """Returns a tensor as a view of its storage, once its description is checked."""
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
    """Raises a `ValueError` unless shape, strides and offset are plausible numbers."""
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
        if number >= _LARGEST_SIZE:  # Python refuses to print very long integers
            raise ValueError(f"{where} reaches beyond its storage.")


def _is_contiguous(shape, strides):
    """Returns whether a tensor lies in its storage row by row without gaps.

    The stride of an axis of length one does not matter.
    """
    if 0 in shape:
        return True
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


def _numbers(data, kind):
    """Returns the bytes of a storage as a read-only array `(numbers,)`."""
    numbers = np.frombuffer(data, _STORED[kind])
    if kind == "BFloat16Storage":  # a float32 without its lower 16 bits
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
    """An unpickler that knows only tensors, dicts, lists and plain values.

    It derives from the implementation in Python because the one in C allocates its
    memo up to any index that a pickle names. Keys of dicts must be text or small
    numbers, because hashing nested tuples can take forever.

    Attributes:
        kinds: dict from the name of every storage seen so far to its kind.
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
        """Drops the state, e.g. an `OrderedDict`'s attributes or a dtype's order."""
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
        """Returns a function of our own for the few allowed names; imports nothing."""
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
        """Returns a reference to a storage, whose numbers are read later."""
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
    """Returns an empty `OrderedDict`; takes none of its constructor's arguments."""
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
    """Opens a file of PyTorch 1.6 or later, a zip archive.

    Returns: tuple of the unpickled content, in which storages are only referred to,
        and a function that loads storages: from their names to pairs of name and
        bytes.
    """
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
    """Opens a file from before PyTorch 1.6; returns the same as `_open_zip`."""
    with path.open("rb") as file:
        magic, _, system = (_Unpickler(file).load() for _ in range(3))
        if magic != _MAGIC:
            raise ValueError("it does not begin with the magic number of such files")
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
    """Locates the storages that follow the pickles of an old file.

    Returns: dict from the name of a storage to its `(start, size)` in bytes.
    """
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
