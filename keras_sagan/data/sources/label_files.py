"""Labels of the pictures of a folder in a file beside them.

`labels.csv`: a header line `file,label`, then a line a picture: its path relative to
the folder, with "/" between folders, and the name of its class. The classes are sorted
by name; if all are whole numbers, by number.

`dataset.json` (as the tools of the StyleGAN repositories write it):
`{"labels": [["00000/img00000.png", 3], ...]}` with classes counted from 0, or
`{"labels": null}` for unlabelled pictures.
"""

import csv
import io
import os
import typing
import unicodedata

from keras_sagan.data.pictures import MOST_CLASSES
from keras_sagan.files import json_files

NAMES = ("labels.csv", "dataset.json")

_HEADER = ["file", "label"]
_SHOWN = 3  # names in a message


class LabelTable(typing.NamedTuple):
    """What a file of labels says.

    Attributes:
        names: tuple of str, the pictures' paths in the order of their code points.
        labels: tuple of int, or `None` when unlabelled.
        class_names: tuple of str, or `None` when unlabelled.
        problems: tuple of str.
    """

    names: tuple[str, ...]
    labels: tuple[int, ...] | None
    class_names: tuple[str, ...] | None
    problems: tuple[str, ...]


def normalized(text):
    """Text in NFC: macOS stores names decomposed, Linux as they were typed."""
    return unicodedata.normalize("NFC", text)


def shown(path):
    """The path as text, also where its name is no UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def find(folder):
    """The folder's files of labels: list of paths, empty, of one, or of both."""
    return [folder / name for name in NAMES if (folder / name).is_file()]


def read(files, pictures):
    """Reads the file of labels of a folder.

    Args:
        files: list of one or two paths, as `find` returns it.
        pictures: collection of str. Relative paths of the pictures there are, in NFC.

    Returns:
        `LabelTable` of the pictures that are both listed and there.
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
    """Pairs (path, class name)."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no UTF-8 ({error})") from error
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
    """Pairs (path, class name), or None when unlabelled."""
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
        if row[1] >= MOST_CLASSES:  # all classes below it would have a name
            raise ValueError(
                f"class numbers must be below {MOST_CLASSES}. Received: {row!r:.200}"
            )
    return [(_path(name), str(label)) for name, label in rows]


def _without_empty_end(cells):
    """The cells of a row; spreadsheets fill rows up with empty ones."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _path(text):
    """A listed path as the folder's pictures are called."""
    return normalized(text.removeprefix("./"))


def _class_names(rows, file):
    names = {label for _, label in rows}
    if file.suffix == ".json":  # also those that no picture has
        return tuple(map(str, range(max(map(int, names), default=-1) + 1)))
    return in_order(names)


def in_order(names):
    """Names of classes in the order of their labels: by name, or by number.

    By number where all are whole numbers, so that "10" comes after "9".

    Returns: tuple of str.
    """
    if all(name.isascii() and name.isdigit() for name in names):
        # As `int` orders them, which refuses thousands of digits.
        return tuple(sorted(names, key=lambda name: (_digits(name), name)))
    return tuple(sorted(names))


def _digits(name):
    """Sorts texts of digits as their numbers."""
    digits = name.lstrip("0")
    return len(digits), digits


def _row_problems(file, rows, pictures):
    """Names that are twice in the file, not in the folder, or only in the folder."""
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
            f"{file} lists {_some(missing)}, which the folder does not have"
            f"{_meant(missing[0], pictures)}"
        )
    if unlisted:
        problems.append(f"{file} has no label of {_some(unlisted)}")
    return problems


def _meant(name, pictures):
    """What a listed name probably stands for, as the end of a message, or ""."""
    wanted = name.replace("\\", "/").casefold()
    for picture in pictures:
        known = picture.casefold()
        if any(f"/{wanted}".endswith(f"/{x}") for x in (known, _without_ending(known))):
            return f"; it has {picture!r}, which is not {name!r}"
    return ""


def _without_ending(name):
    return os.path.splitext(name)[0]


def _some(names):
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return f"{shown} ({len(names)} in all)" if len(names) > _SHOWN else shown
