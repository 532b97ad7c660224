"""Reads a file with the labels of the pictures in its folder.

`labels.csv` has a header line `file,label` and a line for each picture, with its path
relative to the folder ("/" between folders) and the name of its class. The classes are
sorted by name, or as numbers if all names are whole numbers.

`dataset.json`, as written by the tools of the StyleGAN repositories, is
`{"labels": [["00000/img00000.png", 3], ...]}`, with classes counted from 0, or
`{"labels": null}` for unlabelled pictures.
"""

import csv
import decimal
import io
import os
import re
import typing
import unicodedata

from keras_sagan.data.pictures import MOST_CLASSES
from keras_sagan.files import json_files

NAMES = ("labels.csv", "dataset.json")

_HEADER = ["file", "label"]
_INTEGER = re.compile(r"-?[0-9]+")
_SHOWN = 3  # names in a message


class LabelTable(typing.NamedTuple):
    """The content of a file of labels.

    Attributes:
        names: tuple of str. Paths of the pictures, sorted by code points.
        labels: tuple of int, or `None` if unlabelled.
        class_names: tuple of str, or `None` if unlabelled.
        problems: tuple of str. What is wrong.
    """

    names: tuple[str, ...]
    labels: tuple[int, ...] | None
    class_names: tuple[str, ...] | None
    problems: tuple[str, ...]


def normalized(text):
    """Converts text to NFC, as macOS stores names decomposed and Linux as typed."""
    return unicodedata.normalize("NFC", text)


def shown(path):
    """Returns a path as text, with escapes for what is not UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def find(folder):
    """Returns the files of labels in a folder: list of at most two paths."""
    return [folder / name for name in NAMES if (folder / name).is_file()]


def read(files, pictures):
    """Reads the file of labels of a folder.

    Args:
        files: list of one or two paths, as returned by `find`.
        pictures: collection of str. Relative paths of the existing pictures, in NFC.

    Returns:
        `LabelTable` of the pictures that are listed and exist.
    """
    if len(files) > 1:
        problem = f"{shown(files[0].parent)} has both {' and '.join(NAMES)}: keep one"
        return LabelTable((), None, None, (problem,))
    file = files[0]
    try:
        rows = (_read_csv if file.suffix == ".csv" else _read_json_labels)(file)
    except (ValueError, csv.Error) as error:
        return LabelTable((), None, None, (f"cannot read {shown(file)}: {error}",))
    if rows is None:
        return LabelTable(tuple(sorted(pictures)), None, None, ())
    problems = _row_problems(file, rows, pictures)
    table = {name: label for name, label in rows if name in pictures}
    class_names = _class_names(rows, file)
    names = tuple(sorted(table))
    numbers = {name: number for number, name in enumerate(class_names)}
    labels = tuple(numbers[table[name]] for name in names)
    return LabelTable(names, labels, class_names, tuple(problems))


def _read_csv(file):
    """Returns a list of pairs (path, class name)."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 ({error})") from error
    lines = [_without_empty_end(line) for line in csv.reader(io.StringIO(text, ""))]
    if not lines or [cell.strip().lower() for cell in lines[0]] != _HEADER:
        raise ValueError(
            "the first line must be 'file,label'. Received: "
            f"{','.join(lines[0]) if lines else ''!r}"
        )
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        if len(line) != 2 or not all(cell.strip() for cell in line):
            raise ValueError(f"line {number} must be 'file,label'. Received: {line!r}")
        rows.append((_path(line[0].strip()), line[1].strip()))
    return rows


def _read_json_labels(file):
    """Returns a list of pairs (path, class name), or None if unlabelled."""
    try:
        content = json_files.parse(file.read_bytes(), "it")
    except ValueError as error:
        raise ValueError(str(error).removesuffix(".")) from error
    if "labels" not in content:
        raise ValueError('it must be an object with "labels"')
    if content["labels"] is None:
        return None
    rows = content["labels"]
    if not isinstance(rows, list):
        raise ValueError('"labels" must be a list of [file, class number], or null')
    for row in rows:
        correct = isinstance(row, list) and len(row) == 2 and isinstance(row[0], str)
        if not correct or type(row[1]) is not int or row[1] < 0:
            raise ValueError(
                '"labels" must be a list of [file, class number >= 0]. Received: '
                f"{row!r:.200}"
            )
        if row[1] >= MOST_CLASSES:  # all classes up to it would get a name
            raise ValueError(
                f"class numbers must be below {MOST_CLASSES}. Received: {row!r:.200}"
            )
    return [(_path(name), str(label)) for name, label in rows]


def _without_empty_end(cells):
    """Removes the empty cells that spreadsheets write at the end of a row."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _path(text):
    """Converts a path in the file to the form of the paths of pictures."""
    return normalized(text.removeprefix("./"))


def _class_names(rows, file):
    names = {label for _, label in rows}
    if file.suffix == ".json":  # including classes without pictures
        return tuple(map(str, range(max(map(int, names), default=-1) + 1)))
    return in_order(names)


def in_order(names):
    """Sorts names of classes in the order of their labels.

    They are sorted as numbers if all are whole numbers, so that "10" comes after "9".

    Returns: tuple of str.
    """
    if all(_INTEGER.fullmatch(name) for name in names):
        # `int` refuses thousands of digits, `Decimal` does not.
        return tuple(sorted(names, key=lambda name: (decimal.Decimal(name), name)))
    return tuple(sorted(names))


def _row_problems(file, rows, pictures):
    """Lists names that are in the file twice, or only in the file or the folder."""
    listed, twice, file = set(), [], shown(file)
    for name, _ in rows:
        if name in listed:
            twice.append(name)
        listed.add(name)
    missing = sorted(listed - set(pictures))
    unlisted = sorted(set(pictures) - listed)
    problems = []
    if twice:
        problems.append(f"{file} lists {_some(twice)} more than once")
    if missing:
        problems.append(
            f"{file} lists {_some(missing)}, which is not in the folder"
            f"{_meant(missing[0], pictures)}"
        )
    if unlisted:
        problems.append(f"{file} has no label for {_some(unlisted)}")
    return problems


def _meant(name, pictures):
    """Returns the end of a message, with a picture that was probably meant, or ""."""
    wanted = name.replace("\\", "/").casefold()
    for picture in pictures:
        known = picture.casefold()
        if any(_ends(x, wanted) or _ends(wanted, x) for x in _forms(known)):
            return f"; it has {picture!r}, which is not {name!r}"
    return ""


def _forms(name):
    return name, os.path.splitext(name)[0]


def _ends(path, other):
    """Returns whether a path equals the last parts of another one."""
    return f"/{other}".endswith(f"/{path}")


def _some(names):
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return f"{shown} ({len(names)} in all)" if len(names) > _SHOWN else shown
