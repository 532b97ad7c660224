"""Writes files and folders either completely or not at all.

The content is first written to a private folder beside its target and flushed to the
disk, and then renamed. Nobody ever sees half of it, and nobody can plant a link at its
temporary name. `replace_*` functions replace what was there; `create_*` functions never
overwrite anything.

A process that is killed leaves its private folder, `.keras_sagan-unfinished-*`, behind.
The next write beside it removes it once it is a day old. Code that has a folder to
itself (a run, a preparation) removes it right away with `remove_unfinished`.

Files that grow, `metrics.jsonl` and TensorBoard's logs, are written elsewhere.
"""

import contextlib
import errno
import json
import os
import re
import shutil
import sys
import tempfile
import time

from keras_sagan.files import paths

PREFIX = ".keras_sagan-unfinished-"

_INSIDE = re.compile(re.escape(PREFIX) + r"\w+/")
_DAY = 24 * 60 * 60  # seconds
_NO_FOLDER_FLUSH = (errno.EACCES, errno.EINVAL, errno.ENOTSUP)
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


def replace_file(path, content):
    """Writes a file, and replaces the one that may be there.

    A link is replaced, not followed; a device or a pipe is written to.

    Args:
        path: str or path.
        content: str, bytes, or a function that is called with the path to write to.

    Raises:
        OSError: if the file cannot be written. The message names it, and what was
            there before is unchanged.
    """
    path = paths.local(path)
    # A pipe or a device such as /dev/stdout cannot be replaced by a rename.
    if path.is_fifo() or str(path.absolute().parent) in ("/dev", "/proc/self/fd"):
        write_new(path, content, "wb")
    else:
        _write(path, content, os.replace)


def replace_folder(path, write):
    """Writes a folder, and replaces the one that may be there.

    A folder cannot be replaced in one step, so there is none for the moment between
    two renames.

    Args:
        path: str or path.
        write: function that is called with the path of an empty folder to write to.
    """
    _write(paths.local(path), write, _exchange, folder=True)


def create_file(path, content):
    """Writes a new file; arguments as for `replace_file`.

    Missing parent folders are created.

    Raises:
        FileExistsError: if the file exists, or appears while it is being written.
    """
    path = paths.local(path)
    if os.path.lexists(path):
        raise _exists(path)
    make_folder(path.parent)
    _write(path, content, _link)


def create_folder(path, write):
    """Writes a folder where there is none or an empty one; see `replace_folder`.

    Missing parent folders are created. The working directory and a mount point cannot
    be replaced and are written to directly.

    Raises:
        FileExistsError: if there is anything else, or if it appears meanwhile.
    """
    path = paths.local(path)
    if path.is_symlink():
        path = path.resolve()  # keep the link, and write to where it points
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise _exists(path)
    make_folder(path.parent)
    if path.is_dir() and (path.is_mount() or path.samefile(os.curdir)):
        with naming(path):
            write(path)
            _flush_all(path)
    else:
        _write(path, write, _rename, folder=True)


def publish_folder(folder, path):
    """Flushes a complete folder and renames it to `path`, on the same disk.

    Raises:
        FileExistsError: if there is anything but an empty folder at `path`.
    """
    _flush_all(folder)
    _rename(folder, path)
    flush(path.parent)


def write_new(path, content, mode="xb"):
    """Writes a new file into a folder that will later be flushed as a whole."""
    with naming(path):
        if callable(content):
            return content(path)
        with open(path, mode) as file:
            file.write(content.encode() if isinstance(content, str) else content)


def make_room(path, size):
    """Creates a file of `size` bytes, or raises an `OSError` if the disk is full.

    HDF5 crashes the process when the disk fills up while it writes.
    """
    with naming(path), open(path, "xb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)


def json_text(value):
    """Returns a value as the indented text of a JSON file."""
    return json.dumps(value, indent=2) + "\n"


def make_folder(path):
    """Creates a folder and its missing parents, and flushes their names to disk."""
    path = paths.local(path)
    missing = [x for x in (path, *path.parents) if not x.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        flush(folder.parent)


def remove_folder(path):
    """Removes a folder in such a way that nobody sees it half removed."""
    with unfinished(path) as temporary:
        os.rename(path, temporary)


def rename_aside(path):
    """Renames `path` to the first free `aside-NUMBER-NAME`, and returns that path."""
    number = 1
    while (target := path.with_name(f"aside-{number}-{path.name}")).exists():
        number += 1
    return path.rename(target)


def is_empty(folder):
    """Returns whether a folder holds nothing but leftovers of killed processes."""
    return all(path.name.startswith(PREFIX) for path in paths.local(folder).iterdir())


def remove_unfinished(folder, age=0, below="**/"):
    """Removes what killed processes left in a folder and its subfolders.

    Args:
        folder: str or path.
        age: float. Only leftovers at least this old, in seconds, are removed. 0 is
            right only where no other process writes.
        below: str. Glob prefix of the places to look in; `""` for `folder` alone.
    """
    for path in list(paths.local(folder).glob(f"{below}{PREFIX}*")):
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime >= age:
                shutil.rmtree(path)


@contextlib.contextmanager
def unfinished(path):
    """Provides a private folder beside `path`, which is removed at the end.

    Errors raised inside the scope name `path`, not the temporary file.

    Yields: path inside that folder, with the same file name as `path`.
    """
    path = paths.local(path)
    with naming(path):
        remove_unfinished(path.parent, _DAY, below="")
        with tempfile.TemporaryDirectory(
            prefix=PREFIX, dir=path.parent, ignore_cleanup_errors=True
        ) as private:
            yield path.parent / os.path.basename(private) / path.name


def flush(path):
    """Waits until a file's content, or a folder's list of names, is on the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        # Some file systems cannot flush a folder; the files in it have been flushed.
        if not (os.path.isdir(path) and error.errno in _NO_FOLDER_FLUSH):
            raise


@contextlib.contextmanager
def naming(path):
    """Turns errors of writing into `OSError`s that name the file or folder `path`.

    The system's error for a full disk names no file, and TensorFlow has its own types.
    """
    try:
        yield
    except OSError as error:
        name = str(error.filename or path)
        of_system = error.errno is not None or type(error) is OSError
        if not of_system or (error.filename and PREFIX not in name):
            raise
        name = _INSIDE.sub("", name)
        name = str(path) if PREFIX in name else name
        reason = error.strerror or str(error)
        raise OSError(error.errno or errno.EIO, reason, name) from error
    except Exception as error:
        if not is_of_tensorflow(error):
            raise
        raise OSError(errno.EIO, error.message, str(path)) from error


def is_of_tensorflow(error):
    """Returns whether an error is one of TensorFlow's, e.g. for damaged records."""
    tensorflow = sys.modules.get("tensorflow")  # importing it would take seconds
    errors = getattr(tensorflow, "errors", None)
    return errors is not None and isinstance(error, errors.OpError)


def _write(path, content, place, folder=False):
    """Writes content beside `path`, flushes it, and calls `place(new, path)`."""
    with unfinished(path) as new:
        if folder:
            new.mkdir()
        write_new(new, content)
        _flush_all(new)
        place(new, path)
        flush(path.parent)


def _exchange(new, path):
    """Renames a folder into place, and puts the old one back if that fails."""
    old = new.with_name(f"{path.name}.old")
    with contextlib.suppress(FileNotFoundError):
        os.rename(path, old)
    try:
        os.rename(new, path)
    except OSError:
        if old.exists():
            os.rename(old, path)
        raise


def _rename(folder, path):
    try:
        os.rename(folder, path)  # replaces an empty folder, nothing else
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        raise _exists(path) from error


def _link(new, path):
    """Renames a file, but never over an existing one, as `os.rename` would."""
    try:
        os.link(new, path)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        os.rename(new, path)


def _exists(path):
    return FileExistsError(
        f"{str(path)!r} is there already: it must not exist yet, or be an empty folder."
    )


def _flush_all(path):
    for entry in (*path.rglob("*"), path):
        flush(entry)
