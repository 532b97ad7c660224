"""Reading a folder of pictures: `folder:PATH`."""

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
        notes: tuple of str. What is there and is left out.
    """

    files: tuple[pathlib.Path, ...]
    labels: tuple[int, ...] | None
    class_names: tuple[str, ...] | None
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def list_pictures(path):
    """Lists a folder: one subfolder a class, pictures with labels, or pictures alone.

    Where the folder has a `labels.csv` or `dataset.json` (see `label_files`), its
    pictures may lie in subfolders. Else the subfolders, in order of their names' code
    points, NFC-normalised, or by number where all are whole numbers, are the classes.
    Names that start with a dot are left out, and so are files that are no pictures by
    their content (`decoding.is_picture`), these with a note.

    Args:
        path: str. "~" is the home directory.

    Returns:
        `FolderListing`; the caller decides what its problems mean.

    Raises:
        FileNotFoundError, NotADirectoryError, PermissionError: if it cannot be
            listed; the message names it.
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
    """The `Pictures` of a folder.

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
    """The listing after a file of labels."""
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
            "picture into a subfolder named after its class, or have no subfolders"
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
    """What is in a folder, by kind, each sorted by name; hidden names are not in it.

    By the name in NFC: macOS stores names decomposed, Linux as typed, and classes have
    the same order on both.
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
    """Whether it is a pipe, a socket or a device: reading one may never end."""
    return not path.is_file() and path.exists()


def _notes(others):
    """Sentences about what is no picture by its content or its kind."""
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
    """Of relative names, sizes and times of the files, their labels and classes."""
    digest = hashlib.sha256(repr((listing.class_names, listing.labels)).encode())
    for file in listing.files:
        try:
            facts = file.stat()
            state = (facts.st_size, facts.st_mtime_ns)
        except OSError:  # a dangling link, which reading will name
            state = None
        digest.update(repr((os.fsencode(file.relative_to(path)), state)).encode())
    return digest.hexdigest()


def _no_pictures():
    return f"no pictures ({', '.join(FORMATS)})"
