"""Opens untrusted HDF5 weight files: plain arrays only, no larger than the file."""

import contextlib

import h5py

from keras_sagan.files import paths

_DEEPEST = 32  # groups within groups


def check(path):
    """Checks that an HDF5 file holds plain arrays and nothing else.

    Args:
        path: str or path.

    Returns: int. Total size of the arrays in bytes.

    Raises:
        ValueError: if the file holds anything else, such as a link to another file or
            a compressed array (the message names it), or if it is damaged.
        OSError: if the file cannot be read.
    """
    path = paths.local(path)
    size = path.stat().st_size
    try:
        with h5py.File(path, "r") as file:
            total = sum(_array_bytes(file, str(path), 0, set()))
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # h5py raises almost any type for a damaged file
        if isinstance(error, _Refused):
            raise ValueError(str(error)) from None
        raise ValueError(f"{str(path)!r} is not a file of weights: {error}.") from error
    if total > size:
        raise ValueError(
            f"{str(path)!r} is damaged: its arrays have {total} bytes, but the file "
            f"has {size}."
        )
    return total


@contextlib.contextmanager
def opened(path):
    """Opens an HDF5 file for reading once `check` has accepted it.

    Yields: `h5py.File`.

    Raises:
        ValueError, OSError: as for `check`.
    """
    check(path)
    with h5py.File(path, "r") as file:
        yield file


class _Refused(Exception):
    """Raised for a file that is intact, but holds more than plain arrays."""


def _array_bytes(group, origin, depth, seen):
    """Checks every array of a group, recursively, and yields its size in bytes."""
    if depth > _DEEPEST:
        raise _Refused(f"{origin!r} has groups more than {_DEEPEST} deep.")
    for name in group:
        link = group.get(name, getlink=True)  # looked at before it is followed
        where = f"{origin!r} holds {f'{group.name}/{name}'!r}"
        if not isinstance(link, h5py.HardLink):
            raise _Refused(f"{where}, a link to something else.")
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:  # a group that contains itself would never end
            raise _Refused(f"{where}, which it holds twice.")
        seen.add(address)
        if isinstance(item, h5py.Group):
            yield from _array_bytes(item, origin, depth + 1, seen)
            continue
        if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf":
            # Keras stores strings as attributes; only StringLookup has arrays of them.
            raise _Refused(f"{where}, which is not an array of numbers.")
        if item.external or item.is_virtual:
            raise _Refused(f"{where}, an array in another file.")
        if item.id.get_create_plist().get_nfilters():
            raise _Refused(f"{where}, a compressed array.")
        yield item.nbytes
