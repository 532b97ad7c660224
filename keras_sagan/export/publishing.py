"""The versions of an exported model: directories 1, 2, ... of one directory."""

import os
import pathlib
from collections.abc import Callable

from keras_sagan.files import paths, writing


def next_version(base: str | os.PathLike) -> pathlib.Path:
    """The path of the version after the highest under `base`: 1 if there is none."""
    base = paths.local(base)
    names = [path.name for path in base.iterdir()] if base.is_dir() else []
    versions = [int(name) for name in names if name.isdecimal()]
    return base / str(max(versions, default=0) + 1)


def newest_saved_model(path: str | os.PathLike) -> pathlib.Path | None:
    """The directory of a SavedModel: `path` or its newest version, or `None`."""
    path = paths.local(path)
    versions = path.iterdir() if path.is_dir() else []
    numbered = [x for x in versions if x.name.isdecimal()]
    candidates = [path, *sorted(numbered, key=lambda x: -int(x.name))]
    return next((x for x in candidates if (x / "saved_model.pb").is_file()), None)


def publish_version(
    write: Callable[[pathlib.Path], None], base: str | os.PathLike
) -> pathlib.Path:
    """Writes the next version under `base`.

    A server that watches `base` does not see half of a model, and no version that
    exists is changed. Where several processes export at once, each gets a number.

    Args:
        write: function that is given the path of an empty directory to write to. If
            it raises, there is no trace of what it wrote.
        base: str or path. Made if needed.

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
                if next_version(base) == path:  # somebody's empty file
                    raise
