"""Files and folders that are written whole or not at all.

What is written has a private folder beside its target until it is complete and flushed
to the disk, so that nobody sees half of it and no link can wait at its name.
`replace_*` put it in the place of what was there, `create_*` never overwrite anything.

A process that is killed leaves its private folder, `.keras_sagan-unfinished-*`. The
next write beside it removes it once it is a day old; whoever has a folder for itself
(a run, a preparation) removes it at once with `remove_unfinished`.

Files that grow are not written here: `metrics.jsonl` and TensorBoard's logs.
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
    """Writes a file in the place of one that may be there.

    A link is replaced, not followed; a device or a pipe is written to.

    Args:
        path: str or path.
        content: str, bytes, or a function that is given the path to write to.

    Raises:
        OSError: if it cannot be written; names it. What was there is as it was.
    """
    path = paths.local(path)
    if path.is_fifo() or str(path.absolute().parent) in ("/dev", "/proc/self/fd"):
        write_new(path, content, "wb")
    else:
        _write(path, content, os.replace)


def replace_folder(path, write):
    """Writes a folder in the place of one that may be there.

    One of them is there at every moment but that between two renames.

    Args:
        path: str or path.
        write: function that is given the path of an empty folder to write to.
    """
    _write(paths.local(path), write, _exchange, folder=True)


def create_file(path, content):
    """Writes a file that must not be there, nor appear meanwhile; see `replace_file`.

    Folders are made as needed.

    Raises:
        FileExistsError: if there is such a file.
    """
    path = paths.local(path)
    if os.path.lexists(path):
        raise _exists(path)
    make_folder(path.parent)
    _write(path, content, _link)


def create_folder(path, write):
    """Writes a folder where there is none, or an empty one; see `replace_folder`.

    Folders are made as needed. The working directory and the root of a disk, which
    nothing can take the place of, are written to as they are.

    Raises:
        FileExistsError: if something is there, or appears meanwhile.
    """
    path = paths.local(path)
    if path.is_symlink():
        path = path.resolve()  # the link stays one
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
    """Gives a folder that is complete, on the same disk, its name.

    Raises:
        FileExistsError: if something that is no empty folder has the name.
    """
    _flush_all(folder)
    _rename(folder, path)
    flush(path.parent)


def write_new(path, content, mode="xb"):
    """Writes a new file in a folder that is going to be flushed as a whole."""
    with naming(path):
        if callable(content):
            return content(path)
        with open(path, mode) as file:
            file.write(content.encode() if isinstance(content, str) else content)


def make_room(path, size):
    """Makes a file of so many bytes: on a full disk an error, where HDF5 crashes."""
    with naming(path), open(path, "xb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)


def json_text(value):
    """A value as the text of a file of JSON."""
    return json.dumps(value, indent=2) + "\n"


def make_folder(path):
    """Makes a folder and those that it is in, as needed."""
    path = paths.local(path)
    missing = [x for x in (path, *path.parents) if not x.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        flush(folder.parent)


def remove_folder(path):
    """Removes a folder that nobody sees half of."""
    with unfinished(path) as rubbish:
        os.rename(path, rubbish)


def rename_aside(path):
    """Renames `path` to the next unused `aside-NUMBER-NAME`, and returns that."""
    number = 1
    while (target := path.with_name(f"aside-{number}-{path.name}")).exists():
        number += 1
    return path.rename(target)


def is_empty(folder):
    """Whether nothing is in a folder but what killed processes left."""
    return all(path.name.startswith(PREFIX) for path in paths.local(folder).iterdir())


def remove_unfinished(folder, age=0, below="**/"):
    """Removes what killed processes left in a folder, and in those in it.

    Only what is `age` seconds old; 0 is for where nobody else writes. With `below=""`
    in the folder alone.
    """
    for path in list(paths.local(folder).glob(f"{below}{PREFIX}*")):
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime >= age:
                shutil.rmtree(path)


@contextlib.contextmanager
def unfinished(path):
    """Scope with the same name in a private folder beside `path`, removed at its end.

    Errors in the scope name `path`.
    """
    path = paths.local(path)
    with naming(path):
        remove_unfinished(path.parent, _DAY, below="")
        with tempfile.TemporaryDirectory(
            prefix=PREFIX, dir=path.parent, ignore_cleanup_errors=True
        ) as private:
            yield path.parent / os.path.basename(private) / path.name


def flush(path):
    """Waits until a file's content, or the names in a folder, are on the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if not (os.path.isdir(path) and error.errno in _NO_FOLDER_FLUSH):
            raise


@contextlib.contextmanager
def naming(path):
    """Scope whose errors are `OSError`s that name the file or folder `path`.

    A write to a full disk names none, and TensorFlow has errors of its own.
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
    """Whether TensorFlow could not do it: damaged records, a file, no memory."""
    tensorflow = sys.modules.get("tensorflow")  # not imported for the question
    errors = getattr(tensorflow, "errors", None)
    return errors is not None and isinstance(error, errors.OpError)


def _write(path, content, place, folder=False):
    """Writes beside `path`, flushes, and calls `place(new, path)`."""
    with unfinished(path) as new:
        if folder:
            new.mkdir()
        write_new(new, content)
        _flush_all(new)
        place(new, path)
        flush(path.parent)


def _exchange(new, path):
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
    """Names a file as a rename would that does not replace what has appeared."""
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
