"""Reads a folder of pictures, `folder:PATH`."""

import collections
import dataclasses
import functools
import hashlib
import os
import pathlib
import typing

import numpy as np

from keras_sagan.data import decoding
from keras_sagan.data.decoding import FORMATS
from keras_sagan.data.pictures import Opened, Picture, Pictures, class_name_problems
from keras_sagan.data.sources import label_files
from keras_sagan.data.sources.label_files import normalized, shown
from keras_sagan.files import paths

_PREPARED = "dataset_info.json"  # file in a folder that `data prepare` wrote


@dataclasses.dataclass(frozen=True)
class FolderListing:
    """The list of the pictures in a folder, which have not been opened yet.

    Attributes:
        files: tuple of `pathlib.Path`, sorted by class and name, or by name only if
            there is a file of labels.
        labels: tuple of int with one label per file, or `None` if unlabelled.
        class_names: tuple of str, or `None` if unlabelled.
        problems: tuple of str. Reasons why the folder cannot be used as a data set.
        notes: tuple of str. What has been left out.
    """

    files: tuple[pathlib.Path, ...]
    labels: tuple[int, ...] | None
    class_names: tuple[str, ...] | None
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def list_pictures(path):
    """Lists the pictures of a folder, with their classes if there are any.

    If the folder contains `labels.csv` or `dataset.json` (see `label_files`), that file
    gives the classes, and the pictures may be in subfolders. Otherwise each subfolder
    is a class. Classes are sorted by the code points of their NFC-normalised names, or
    as numbers if all names are whole numbers. Names that start with a dot are ignored.
    Files that are not pictures (`decoding.is_picture`) are left out, with a note.

    Args:
        path: str. "~" stands for the home directory.

    Returns:
        `FolderListing`, whose problems are not raised as errors.

    Raises:
        FileNotFoundError, NotADirectoryError, PermissionError: if the folder cannot be
            listed. The message names it.
    """
    path = paths.local(path)
    if not path.exists():
        raise FileNotFoundError(f"`name`: there is no folder {shown(path.absolute())}.")
    if not path.is_dir():
        raise NotADirectoryError(
            f"`name`: {shown(path.absolute())} is a file, not a folder."
        )
    found = label_files.find(path)
    if found:
        return _listed_names(path, found)
    entries = _entries(path)
    if (path / _PREPARED).exists():
        problem = f"{shown(path)} is a prepared data set: use 'tfds:{shown(path)}'"
        return FolderListing((), None, None, (problem,))
    if not entries.folders:
        problems = [
            f"{shown(link)} is a link that leads nowhere" for link in entries.broken
        ]
        if not entries.pictures:
            problems.append(f"{shown(path)} has {_no_pictures()}")
        notes = _notes(entries.others)
        return FolderListing(
            tuple(entries.pictures), None, None, tuple(problems), notes
        )
    return _class_folders(path, entries)


def open_pictures(path):
    """Opens a folder as `Pictures`.

    Raises:
        OSError: if a folder cannot be listed.
    """
    listing = list_pictures(path)

    def at(row):
        file = listing.files[row]
        label = None if listing.labels is None else listing.labels[row]
        return Picture(shown(file), label, functools.partial(_open, file))

    return Pictures(
        count=len(listing.files),
        class_names=listing.class_names,
        channels=3,
        rows=lambda start, stop: map(at, range(start, stop)),
        at=at,
        labels=None if listing.labels is None else np.array(listing.labels, np.int64),
        problems=listing.problems,
        notes=listing.notes,
        fingerprint=_fingerprint(listing, paths.local(path)),
    )


def _open(file):
    image, stored = decoding.open_picture(file, shown(file))
    return Opened(image, *stored)


def _listed_names(path, found):
    """Lists a folder with a file of labels."""
    pictures, others, links, problems = {}, [], [], []
    for folder, folders, names in os.walk(path, onerror=_raise):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        inner = [pathlib.Path(folder, name) for name in folders]
        links += [entry for entry in inner if entry.is_symlink()]
        for name in sorted(names):
            file = pathlib.Path(folder, name)
            if name[0] == "." or file in found:
                continue
            if not _is_special(file) and decoding.is_picture(file):
                listed = normalized(file.relative_to(path).as_posix())
                if listed in pictures:
                    problems.append(f"{shown(path)} has two pictures called {listed!r}")
                pictures[listed] = file
            else:
                others.append(file)
    table = label_files.read(found, pictures)
    followed = tuple(f"{shown(link)}: a link, not followed" for link in links)
    notes = _notes(others) + followed
    files = tuple(pictures[name] for name in table.names)
    problems += [*table.problems, *class_name_problems(table.class_names or ())]
    if not files and not problems:
        problems.append(f"{shown(path)} has {_no_pictures()}")
    return FolderListing(files, table.labels, table.class_names, tuple(problems), notes)


def _class_folders(path, entries):
    order = label_files.in_order({normalized(shown(x.name)) for x in entries.folders})
    places = {name: place for place, name in enumerate(order)}
    folders = sorted(entries.folders, key=lambda x: places[normalized(shown(x.name))])
    pictures = entries.pictures
    problems = [
        f"{shown(link)} is a link that leads nowhere" for link in entries.broken
    ]
    if pictures:
        problems.append(
            f"{shown(path)} has both pictures ({pictures[0].name!r}, "
            f"{len(pictures)} in all) "
            f"and subfolders ({folders[0].name!r}, {len(folders)} in all): put every "
            "picture into a subfolder named after its class, or remove the subfolders"
        )
    files, labels, others = [], [], list(entries.others)
    for label, folder in enumerate(folders):
        inner = _entries(folder)
        if inner.folders:
            problems.append(
                f"class folder {shown(folder)} has subfolders "
                f"({inner.folders[0].name!r}, {len(inner.folders)} in all): pictures "
                "must lie directly in the class folder. If those are the classes, use "
                f"'folder:{shown(folder)}'"
            )
        elif not inner.pictures:
            problems.append(f"class folder {shown(folder)} has {_no_pictures()}")
        files += inner.pictures
        labels += [label] * len(inner.pictures)
        others += inner.others + inner.broken
    names = tuple(normalized(shown(folder.name)) for folder in folders)
    if len(set(names)) < len(names):
        problems.append(
            f"{shown(path)} has two class folders whose names look the same"
        )
    problems += class_name_problems(tuple(dict.fromkeys(names)))
    return FolderListing(
        tuple(files), tuple(labels), names, tuple(problems), _notes(others)
    )


class _Entries(typing.NamedTuple):
    """The content of a folder by kind, without hidden files, each sorted by name.

    The order is that of the names in NFC, so that it is the same on macOS, which stores
    names decomposed, and on Linux, which stores them as typed.
    """

    folders: list[pathlib.Path]
    pictures: list[pathlib.Path]
    others: list[pathlib.Path]
    broken: list[pathlib.Path]  # links that lead nowhere, or to themselves


def _entries(path):
    found = _Entries([], [], [], [])
    entries = (entry for entry in path.iterdir() if entry.name[0] != ".")
    for entry in sorted(entries, key=lambda entry: (normalized(entry.name), entry)):
        if entry.is_dir():
            found.folders.append(entry)
        elif not _is_special(entry) and decoding.is_picture(entry):
            found.pictures.append(entry)
        elif entry.is_symlink() and not entry.exists():
            found.broken.append(entry)
        else:
            found.others.append(entry)
    return found


def _is_special(path):
    """Returns whether it is a pipe, a socket or a device, which may block a reader."""
    return not path.is_file() and path.exists()


def _notes(others):
    """Returns sentences about the files that are not pictures: tuple of str."""
    special = tuple(
        f"{shown(path)}: a pipe, a socket or a device, not opened"
        for path in others
        if _is_special(path)
    )
    others = [path for path in others if not _is_special(path)]
    if not others:
        return special
    endings = collections.Counter(file.suffix.lower() or "none" for file in others)
    counts = ", ".join(f"{ending} {count}" for ending, count in endings.most_common())
    return (
        f"{len(others)} files by their content ({counts}): pictures are "
        f"{', '.join(FORMATS)}",
        *special,
    )


def _raise(error):
    raise error


def _fingerprint(listing, path):
    """Hashes relative names, sizes and times of the files, their labels and classes."""
    digest = hashlib.sha256(repr((listing.class_names, listing.labels)).encode())
    for file in listing.files:
        try:
            facts = file.stat()
            state = (facts.st_size, facts.st_mtime_ns)
        except OSError:  # a dangling link, which is an error when it is read
            state = None
        digest.update(repr((os.fsencode(file.relative_to(path)), state)).encode())
    return digest.hexdigest()


def _no_pictures():
    return f"no pictures ({', '.join(FORMATS)})"
