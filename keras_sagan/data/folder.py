"""Reading a folder of pictures: `folder:PATH`."""

import dataclasses
import functools
import hashlib
import os
import pathlib
import unicodedata

from keras_sagan.data import decoding, label_files
from keras_sagan.data.decoding import EXTENSIONS
from keras_sagan.data.pictures import Opened, Picture, Pictures

_PREPARED = "dataset_info.json"  # what a folder that `data prepare` wrote has


@dataclasses.dataclass(frozen=True)
class FolderListing:
    """The pictures of a folder, none of them opened.

    Attributes:
        files: tuple of `pathlib.Path`, by class, then by name; with a file of labels
            by name.
        labels: tuple of int, one a file, or `None` when unlabelled.
        class_names: tuple of str, `None` when unlabelled.
        problems: tuple of str. What keeps the folder from being a data set.
    """

    files: tuple[pathlib.Path, ...]
    labels: tuple[int, ...] | None
    class_names: tuple[str, ...] | None
    problems: tuple[str, ...]


def list_pictures(path):
    """Lists a folder: one subfolder a class, pictures with labels, or pictures alone.

    Where the folder has a `labels.csv` or `dataset.json` (see `label_files`), its
    pictures may lie in subfolders. Else the subfolders, in order of their names' code
    points, NFC-normalised, are the classes. Names that start with a dot and files that
    are no pictures by their ending (`EXTENSIONS`) are left out.

    Args:
        path: str. "~" is the home directory.

    Returns:
        `FolderListing`; the caller decides what its problems mean.

    Raises:
        FileNotFoundError, NotADirectoryError, PermissionError: if it cannot be
            listed; the message names it.
    """
    path = pathlib.Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"`name`: there is no folder {path.absolute()}.")
    if not path.is_dir():
        raise NotADirectoryError(f"`name`: {path.absolute()} is a file, not a folder.")
    found = label_files.find(path)
    if found:
        return _listed(path, found)
    folders, pictures = _entries(path)
    if (path / _PREPARED).exists():
        problem = f"{path} is a prepared data set: use 'tfds:{path}'"
        return FolderListing((), None, None, (problem,))
    if not folders:
        problems = () if pictures else (f"{path} has {_no_pictures()}",)
        return FolderListing(tuple(pictures), None, None, problems)
    return _class_folders(path, folders, pictures)


def open_pictures(path):
    """The `Pictures` of a folder.

    Raises:
        OSError: if a folder cannot be listed.
    """
    listing = list_pictures(path)

    def rows(start, stop):
        for row in range(start, stop):
            file = listing.files[row]
            label = None if listing.labels is None else listing.labels[row]
            yield Picture(shown(file), label, functools.partial(_open, file))

    return Pictures(
        count=len(listing.files),
        class_names=listing.class_names,
        channels=3,
        rows=rows,
        problems=listing.problems,
        fingerprint=_fingerprint(listing),
    )


def check_split(path, split):
    """Raises `ValueError` unless `split` is "train", the only split of a folder."""
    if split != "train":
        raise ValueError(
            "`split` must be 'train' for a folder, which is one split as a whole. "
            f"Received: split={split!r} for 'folder:{path}'."
        )


def shown(path):
    """The path as text, also where its name is no UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _open(file):
    image, stored = decoding.open_picture(file, shown(file))
    return Opened(image, *stored)


def _listed(path, found):
    """The listing after a file of labels."""
    pictures = {}
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        for name in sorted(names):
            if name[0] != "." and name.lower().endswith(EXTENSIONS):
                file = pathlib.Path(folder, name)
                pictures[file.relative_to(path).as_posix()] = file
    table = label_files.read(found, pictures)
    files = tuple(pictures[name] for name in table.names)
    if not files and not table.problems:
        return FolderListing((), None, None, (f"{path} has {_no_pictures()}",))
    return FolderListing(files, table.labels, table.class_names, table.problems)


def _class_folders(path, folders, pictures):
    problems = []
    if pictures:
        problems.append(
            f"{path} has both pictures ({pictures[0].name!r}, {len(pictures)} in all) "
            f"and subfolders ({folders[0].name!r}, {len(folders)} in all): put every "
            "picture into a subfolder named after its class, or have no subfolders"
        )
    files, labels = [], []
    for label, folder in enumerate(folders):
        inner, members = _entries(folder)
        if inner:
            problems.append(
                f"class folder {folder} has subfolders ({inner[0].name!r}, "
                f"{len(inner)} in all): pictures must lie directly in the class "
                f"folder. If those are the classes, use 'folder:{folder}'"
            )
        elif not members:
            problems.append(f"class folder {shown(folder)} has {_no_pictures()}")
        files += members
        labels += [label] * len(members)
    # macOS stores names decomposed, Linux as typed: NFC makes them equal.
    names = tuple(unicodedata.normalize("NFC", shown(f.name)) for f in folders)
    if len(set(names)) < len(names):
        problems.append(f"{path} has two class folders whose names look the same")
    return FolderListing(tuple(files), tuple(labels), names, tuple(problems))


def _entries(path):
    """Subfolders and pictures of a folder, each sorted by name."""
    entries = sorted(entry for entry in path.iterdir() if entry.name[0] != ".")
    folders = [entry for entry in entries if entry.is_dir()]
    pictures = [
        entry
        for entry in entries
        if entry.suffix.lower() in EXTENSIONS and not entry.is_dir()
    ]
    return folders, pictures


def _fingerprint(listing):
    """Of names, sizes and times of the files, their labels and classes."""
    digest = hashlib.sha256(repr((listing.class_names, listing.labels)).encode())
    for file in listing.files:
        try:
            facts = file.stat()
            state = (facts.st_size, facts.st_mtime_ns)
        except OSError:  # a dangling link, which reading will name
            state = None
        digest.update(repr((os.fsencode(file), state)).encode())
    return digest.hexdigest()


def _no_pictures():
    return f"no pictures ({', '.join(EXTENSIONS)})"
