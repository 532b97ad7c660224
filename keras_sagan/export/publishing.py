"""Directories and files that appear complete or not at all.

A server that watches the parent directory must not see half of a model: files are
written to a hidden directory beside the target, which is then renamed.
"""

import errno
import os
import pathlib
import tempfile


def next_version(base):
    """The path of the version after the highest under `base`: 1 if there is none."""
    base = pathlib.Path(base)
    names = [path.name for path in base.iterdir()] if base.is_dir() else []
    versions = [int(name) for name in names if name.isdecimal()]
    return base / str(max(versions, default=0) + 1)


def newest_saved_model(path):
    """The directory of a SavedModel: `path` or its newest version, or `None`."""
    path = pathlib.Path(path)
    versions = path.iterdir() if path.is_dir() else []
    numbered = [x for x in versions if x.name.isdecimal()]
    candidates = [path, *sorted(numbered, key=lambda x: -int(x.name))]
    return next((x for x in candidates if (x / "saved_model.pb").is_file()), None)


def publish(write, directory):
    """Write `directory`.

    Args:
        write: callable that is given the path of an empty directory to write to. If
            it raises, there is no trace of what it wrote.
        directory: str or path; must not exist yet, or be empty.

    Raises:
        FileExistsError: if something is there already.
    """
    directory = pathlib.Path(directory)
    if directory.exists() and any(directory.iterdir()):
        raise FileExistsError(
            "The directory of an export must not exist yet, or be empty. "
            f"Received: {str(directory)!r}."
        )
    _write_beside(directory.parent, write, lambda: directory)


def publish_version(write, base):
    """Write the next version under `base`; see `publish`.

    Returns: its path. No version that exists is changed, also where several processes
        export at once: each gets a number of its own.
    """
    return _write_beside(pathlib.Path(base), write, lambda: next_version(base))


def publish_file(write, path):
    """Write a file.

    Args:
        write: callable that is given the path to write to.
        path: str or path of the file, which must not exist.

    Raises:
        FileExistsError: if there is such a file.
    """
    path = pathlib.Path(path)
    if path.exists():
        raise FileExistsError(
            f"The file of an export must not exist yet. Received: {str(path)!r}."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as partial:
        written = pathlib.Path(partial, path.name)
        write(written)
        os.rename(written, path)


def _write_beside(parent, write, target):
    parent.mkdir(parents=True, exist_ok=True)
    # Hidden, and no number: TensorFlow Serving looks at directories called 1, 2, ...
    with tempfile.TemporaryDirectory(dir=parent, prefix=".") as partial:
        folder = pathlib.Path(partial, "export")
        folder.mkdir()
        write(folder)
        return _rename(folder, target)


def _rename(folder, target):
    while True:
        path = target()
        try:
            os.rename(folder, path)  # replaces an empty directory, no other
            return path
        except OSError as error:
            taken = error.errno in (errno.ENOTEMPTY, errno.EEXIST)
            if not taken or target() == path:
                raise
