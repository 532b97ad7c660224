"""Reads shards, that is, files with many pictures each, in any order."""

import collections
import contextlib
import functools
import hashlib
import os
import pathlib
import re
import threading
import typing
import weakref

import numpy as np

from keras_sagan import progress
from keras_sagan.data.pictures import (
    MOST_CLASSES,
    Picture,
    Pictures,
    class_name_problems,
    open_encoded,
)
from keras_sagan.data.sources.label_files import in_order, shown
from keras_sagan.files import descriptors, paths

_SHOWN_FROM = 2**30  # bytes of shards from which progress is shown on opening them
_MOST_SHARDS = 100_000
_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
# Parts of names such as train-00003-of-00010 or images.000003.tar: the text before the
# number, the number, the count of shards if given, and the rest.
_NUMBERED = re.compile(r"(?P<stem>.*?)(?P<number>\d+)(-of-(?P<count>\d+))?(?P<end>\D*)")


class Shard(typing.NamedTuple):
    """The content of a shard.

    Attributes:
        path: path of the file.
        names: list of str with the name of each picture, or `None` if they are
            numbered.
        starts, sizes: lists of int with the place of each picture in the file, in
            bytes.
        labels: list with the label of each picture: int, str, or `None`.
        left_out: int. Number of entries that are not pictures.
    """

    path: pathlib.Path
    names: list[str] | None
    starts: list[int]
    sizes: list[int]
    labels: list[int | str | None]
    left_out: int = 0


def find(text, endings, kind):
    """Finds the files of a set of shards.

    Args:
        text: str. A file, a folder of shards, or files with numbers in braces
            ("train-{000000..000099}.tar"). "~" is the home directory.
        endings: regular expression for the names of shards in a folder.
        kind: str. Name of the source, for messages.

    Returns:
        list of paths, at least one.

    Raises:
        FileNotFoundError: if a shard is missing. The message names it.
        ValueError: if a folder has no shards, or those of several sets.
    """
    path = paths.local(text)
    if path.is_dir():
        return _in_folder(path, endings, kind)
    files = [paths.local(name) for name in _expanded(str(path))]
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"`name`: there is no file {shown(file)}.")
    return files


def _expanded(text):
    """Returns the names for which a name with a range of numbers in braces stands."""
    braces = _BRACES.search(text)
    if not braces:
        return [text]
    first, last = map(int, braces.groups())
    if not first <= last < first + _MOST_SHARDS:
        raise ValueError(
            f"`name`: a range of shards goes upwards, over at most {_MOST_SHARDS}. "
            f"Received: {braces[0]}."
        )
    width = len(braces[1])
    before, after = text[: braces.start()], text[braces.end() :]
    return [f"{before}{number:0{width}}{after}" for number in range(first, last + 1)]


def _in_folder(folder, endings, kind):
    files = sorted(
        file
        for file in folder.iterdir()
        if file.name[0] != "." and re.search(endings, file.name) and file.is_file()
    )
    if not files:
        raise ValueError(f"`name`: {shown(folder)} holds no shards ({endings}).")
    sets = collections.defaultdict(dict)
    for file in files:
        name = _NUMBERED.fullmatch(file.name)
        key = (name["stem"], name["count"], name["end"]) if name else (file.name,)
        sets[key][name and name["number"]] = file
    if len(sets) > 1:
        examples = " and ".join(
            shown(next(iter(x.values())).name) for x in sets.values()
        )
        raise ValueError(
            f"`name`: {shown(folder)} holds shards of several sets ({examples:.300}): "
            f"name those of one, as in '{kind}:{shown(folder)}/train-{{000..099}}.tar'."
        )
    ((key, numbered),) = sets.items()
    _check_numbers(folder, numbered, *key)
    return files


def _check_numbers(folder, numbered, stem, count=None, end=""):
    """Raises a `FileNotFoundError` if a number is missing."""
    numbers = {int(number) for number in numbered if number}
    if not numbers:
        return
    wanted = range(int(count)) if count else range(min(numbers), max(numbers) + 1)
    missing = next((number for number in wanted if number not in numbers), None)
    if missing is not None:
        name = f"{stem}{missing:0{len(next(iter(numbered)))}}"
        name += f"-of-{count}{end}" if count else end
        raise FileNotFoundError(
            f"`name`: the shard {shown(folder / name)} is missing: {len(numbers)} of "
            f"{len(wanted)} are there. Copy it again, or name the shards to read."
        )


def open_pictures(files, read, unpack):
    """Opens the `Pictures` of a set of shards.

    Args:
        files: list of paths.
        read: function from the path of a shard to its `Shard`. It may raise a
            `ValueError`.
        unpack: function from the bytes of an entry of a shard to the bytes of the
            picture's file. It may raise a `ValueError`.

    Raises:
        ValueError: if a shard cannot be read. The message names it.
    """
    shards = _read(files, read)
    opened = _OpenShards(shards)
    labels, class_names, problems = _classes(
        [label for shard, _ in shards for label in shard.labels]
    )

    def at(row):
        name = opened.name(row)
        label = None if labels is None else int(labels[row])
        return Picture(name, label, functools.partial(_open, opened, row, unpack))

    left_out = sum(shard.left_out for shard, _ in shards)
    return Pictures(
        count=len(opened),
        class_names=class_names,
        channels=3,
        rows=lambda start, stop: map(at, range(start, stop)),
        at=at,
        labels=labels,
        problems=problems if len(opened) else ("its shards hold no pictures",),
        notes=(f"{left_out} entries that are not pictures",) if left_out else (),
        fingerprint=_fingerprint(shards, class_names),
    )


def _read(files, read):
    """Returns pairs of a `Shard` and the state of its file."""
    shards = []
    states = [_state(os.stat(file)) for file in files]
    many = sum(size for _, size, _ in states) >= _SHOWN_FROM
    with progress.display() if many else contextlib.nullcontext():
        for file in progress.track(files, len(files), "reading", "shards"):
            try:
                shards.append((read(file), states[len(shards)]))
            except ValueError as error:
                raise ValueError(
                    f"`name`: the shard {shown(file)} cannot be read: {error}."
                ) from error
    return shards


def _open(opened, row, unpack):
    try:
        encoded = unpack(opened.read(row))
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read picture {opened.name(row)}: {error}") from error
    return open_encoded(encoded, opened.name(row))


class _OpenShards:
    """Reads the bytes of pictures; can be used by several threads at once.

    A shard is opened when its first picture is read, and stays open.
    """

    def __init__(self, shards):
        counts = [len(shard.starts) for shard, _ in shards]
        self._shards = shards
        self._ends = np.cumsum(counts)
        self._files, self._lock = {}, threading.Lock()
        weakref.finalize(self, _close, self._files)
        descriptors.allow(len(shards))

    def __len__(self):
        return int(self._ends[-1])

    def name(self, row):
        number, inner = self._place(row)
        shard, _ = self._shards[number]
        inner = inner if shard.names is None else shard.names[inner]
        return f"{shown(shard.path)}[{inner}]"

    def read(self, row):
        """Returns the bytes of a row.

        Raises:
            ValueError: if the shard has changed since it was opened.
            OSError: if it cannot be read.
        """
        number, inner = self._place(row)
        shard, state = self._shards[number]
        file = self._file(number)
        content = os.pread(file, shard.sizes[inner], shard.starts[inner])
        if _state(os.fstat(file)) != state:
            raise ValueError("its shard has changed since it was opened")
        return content

    def _place(self, row):
        number = int(np.searchsorted(self._ends, row, side="right"))
        return number, row - int(self._ends[number]) + len(
            self._shards[number][0].starts
        )

    def _file(self, number):
        with self._lock:
            if number not in self._files:
                path = self._shards[number][0].path
                self._files[number] = os.open(path, os.O_RDONLY)
            return self._files[number]


def _close(files):
    for file in files.values():
        os.close(file)


def _classes(values):
    """Returns integer labels and names of classes for the values of labels in shards.

    Whole numbers are used as they are; names are numbered in their order.

    Returns:
        Tuple `(labels, class_names, problems)` of an int64 array, a tuple of str and a
        tuple of str. The first two are `None` if there are no labels, or problems.
    """
    kinds = collections.Counter(type(value) for value in values)
    if not set(kinds) - {type(None)}:
        return None, None, ()
    if len(kinds) > 1:
        counts = ", ".join(
            f"{count} with {_KINDS[kind]}" for kind, count in kinds.most_common()
        )
        return None, None, (f"all pictures need labels of one kind: {counts}",)
    if int in kinds:
        labels = np.array([min(max(x, -1), MOST_CLASSES) for x in values], np.int64)
        if labels.max() >= MOST_CLASSES:
            return None, None, (f"labels must be below {MOST_CLASSES}",)
        return labels, tuple(map(str, range(int(labels.max()) + 1))), ()
    names = in_order(set(values))
    numbers = {name: number for number, name in enumerate(names)}
    labels = np.array([numbers[value] for value in values], np.int64)
    return labels, names, tuple(class_name_problems(names))


_KINDS = {int: "a number", str: "a name", type(None): "no label"}


def _state(facts):
    """Returns a tuple that changes if a file is changed or replaced."""
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _fingerprint(shards, class_names):
    digest = hashlib.sha256(repr(class_names).encode())
    for shard, (_, size, time) in shards:
        facts = (os.fsencode(shard.path.name), size, time, len(shard.starts))
        digest.update(repr(facts).encode())
    return digest.hexdigest()
