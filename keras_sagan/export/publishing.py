"""Publishes the versions of an exported model as directories 1, 2 and so on."""

import os
import pathlib
from collections.abc import Callable

from keras_sagan.files import paths, writing


def next_version(base: str | os.PathLike) -> pathlib.Path:
    """Returns the path of the version after the highest in `base`, beginning with 1."""
    base = paths.local(base)
    names = [path.name for path in base.iterdir()] if base.is_dir() else []
    versions = [int(name) for name in names if name.isdecimal()]
    return base / str(max(versions, default=0) + 1)


def newest_saved_model(path: str | os.PathLike) -> pathlib.Path | None:
    """Returns `path` or its newest version, if that is a SavedModel, or `None`."""
    path = paths.local(path)
    versions = path.iterdir() if path.is_dir() else []
    numbered = [x for x in versions if x.name.isdecimal()]
    candidates = [path, *sorted(numbered, key=lambda x: -int(x.name))]
    return next((x for x in candidates if (x / "saved_model.pb").is_file()), None)


def publish_version(
    write: Callable[[pathlib.Path], None], base: str | os.PathLike
) -> pathlib.Path:
    """Writes the next version of a model.

    A server that watches `base` never sees an incomplete model, and existing versions
    are not changed. If several processes export at the same time, each gets its own
    number.

    Args:
        write: function that writes to an empty directory, whose path it is given. If it
            raises an error, what it wrote is removed.
        base: str or path of the directory of all versions. It is created if needed.

    Returns: path of the version.
    """
    base = paths.local(base)
    writing.make_folder(base)
    with writing.unfinished(base / "export") as folder:
        folder.mkdir()
        write(folder)
        while True:
            path = next_version(base)
            try:
                writing.publish_folder(folder, path)
                return path
            except FileExistsError:
                if next_version(base) == path:  # something that is not a version
                    raise
