"""HDF5 files of weights of others: plain arrays, no larger than the file."""

import contextlib

import h5py

from keras_sagan.files import paths

_DEEPEST = 32  # groups within groups


def check(path):
    """Checks that an HDF5 file holds plain arrays and nothing else.

    Args:
        path: str or path.

    Returns: int. Bytes of its arrays.

    Raises:
        ValueError: naming what it holds besides, e.g. a link to another file, or a
            compressed array; or if it is damaged.
        OSError: if it cannot be read.
    """
    path = paths.local(path)
    size = path.stat().st_size
    try:
        with h5py.File(path, "r") as file:
            total = sum(_array_bytes(file, str(path), 0, set()))
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # the library raises nearly everything
        if isinstance(error, _Refused):
            raise ValueError(str(error)) from None
        raise ValueError(f"{str(path)!r} is not a file of weights: {error}.") from error
    if total > size:
        raise ValueError(
            f"{str(path)!r} is damaged: its arrays have {total} bytes, it has {size}."
        )
    return total


@contextlib.contextmanager
def opened(path):
    """Scope with a file that `check` has passed: `h5py.File`, for reading.

    Raises:
        As `check`.
    """
    check(path)
    with h5py.File(path, "r") as file:
        yield file


class _Refused(Exception):
    """A file is not damaged, but holds more than arrays."""


def _array_bytes(group, origin, depth, seen):
    """The size of every array of a group, checked."""
    if depth > _DEEPEST:
        raise _Refused(f"{origin!r} has groups more than {_DEEPEST} deep.")
    for name in group:
        link = group.get(name, getlink=True)
        where = f"{origin!r} holds {f'{group.name}/{name}'!r}"
        if not isinstance(link, h5py.HardLink):
            raise _Refused(f"{where}, a link to something else.")
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:  # groups in themselves take for ever
            raise _Refused(f"{where}, which it holds twice.")
        seen.add(address)
        if isinstance(item, h5py.Group):
            yield from _array_bytes(item, origin, depth + 1, seen)
            continue
        if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf":
            # Keras writes texts as attributes or as "vars" of StringLookup only.
            raise _Refused(f"{where}, which is no array of numbers.")
        if item.external or item.is_virtual:
            raise _Refused(f"{where}, an array in another file.")
        if item.id.get_create_plist().get_nfilters():
            raise _Refused(f"{where}, a compressed array.")
        yield item.nbytes
