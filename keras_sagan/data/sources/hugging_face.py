"""Reads Hugging Face data sets, `hf:PATH` and `hf:NAME`, with the package `datasets`.

From version 4 on, the package does not run programs that come with a data set. Pictures
are read from the files of the data set only, never from paths in its rows.
"""

import functools
import os
import re

import numpy as np

from keras_sagan import extras
from keras_sagan.data.pictures import (
    MOST_CLASSES,
    Picture,
    Pictures,
    class_name_problems,
    open_encoded,
)
from keras_sagan.data.sources import options
from keras_sagan.files import json_files, paths

_OPTIONS = ("image", "label", "config", "revision")
_USAGE = (
    "the options of a Hugging Face data set are written as in "
    "'hf:USER/NAME:config=CONFIG,revision=COMMIT,image=COLUMN,label=COLUMN'."
)
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_FILE = re.compile(r"[\w-][\w.-]*")  # name of a file in the same folder, or of a split
_STATE, _INFO, _SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"
_LARGEST = 1 << 24  # bytes of a description


def open_splits(text):
    """Opens the splits of a data set.

    Args:
        text: str. A folder written by `save_to_disk` (a single data set is the split
            "train"), or a name on the Hub, which `datasets` downloads unless it is in
            the cache or `HF_HUB_OFFLINE=1` is set; perhaps with options:
            `NAME:config=CONFIG,revision=COMMIT,image=COLUMN,label=COLUMN`. By default,
            pictures are the column "image", or the only column of pictures, and labels
            are "label", or the only column of classes.

    Returns:
        dict from the name of a split to its `Pictures`.

    Raises:
        FileNotFoundError: if the text is neither an existing folder nor a valid name.
        ValueError: if files in the folder are missing or damaged, or if there are no
            such columns.
        RuntimeError: if a data set could not be downloaded. The message says what to
            do.
        extras.MissingExtraError: if `datasets` is not installed.
    """
    name, given = options.parse("hf", text, _OPTIONS, _USAGE)
    try:
        import datasets
    except ImportError as error:
        raise extras.MissingExtraError("A Hugging Face data set", "datasets") from error

    folder = paths.local(name)
    if folder.is_dir():
        splits = _load_folder(folder)
    elif _NAME.fullmatch(name):
        splits = _load_name(name, given.get("config"), given.get("revision"))
    else:
        raise FileNotFoundError(f"`name`: there is no folder {folder.absolute()}.")
    if isinstance(splits, datasets.Dataset):
        splits = {"train": splits}
    return {
        split: _pictures(dataset, f"{name}/{split}", given)
        for split, dataset in splits.items()
    }


def _load_folder(folder):
    """Loads a folder of `save_to_disk`, after checking the files that it names."""
    import datasets

    try:
        _check_folder(folder)
        splits = datasets.load_from_disk(str(folder))
        several = isinstance(splits, datasets.DatasetDict)
        for dataset in splits.values() if several else [splits]:
            # Arrow trusts the offsets in a file, which may point outside of it.
            dataset.data.validate(full=True)
    except Exception as error:  # the parsers raise many kinds
        raise ValueError(
            f"`name`: a file of the Hugging Face data set in {folder} is missing or "
            f"damaged ({type(error).__name__}: {str(error)[:300]}). `save_to_disk` "
            "writes such a folder; save or copy it again."
        ) from error
    return splits


def _check_folder(folder):
    """Checks that the files that a folder names are in it.

    Raises:
        ValueError, OSError: if not.
    """
    if (folder / _SPLITS).is_file() and not (folder / _STATE).is_file():
        names = json_files.read(folder / _SPLITS, _LARGEST).get("splits")
        for name in _checked(names, folder / _SPLITS):
            _check_folder(folder / name)
        return
    json_files.read(folder / _INFO, _LARGEST)
    files = json_files.read(folder / _STATE, _LARGEST).get("_data_files")
    files = files if isinstance(files, list) else []
    names = [file.get("filename") if isinstance(file, dict) else None for file in files]
    for name in _checked(names, folder / _STATE):
        if not (folder / name).is_file():
            raise ValueError(
                f"{str(folder / _STATE)!r} names {name!r}, which is missing"
            )


def _checked(names, path):
    """Returns a list of names from a description, after checking it.

    Raises:
        ValueError: if it is empty or invalid, or if a name is a path elsewhere.
    """
    if not isinstance(names, list) or not names:
        raise ValueError(f"{str(path)!r} names no files")
    for name in names:
        if not isinstance(name, str) or not _FILE.fullmatch(name):
            raise ValueError(
                f"{str(path)!r} must name files in its folder. Received: {name!r:.200}"
            )
    return names


def _load_name(name, config, revision):
    """Loads a data set from the cache or the Hub."""
    import datasets

    try:
        return datasets.load_dataset(name, config, revision=revision)
    except Exception as error:
        raise RuntimeError(
            f"`datasets` could not load 'hf:{name}': {type(error).__name__}: "
            f"{str(error)[:500]}\nIt downloads a data set on first use. Without a "
            "network, save it on another machine (`save_to_disk`) and copy the folder, "
            "or name a cache that has it (the environment variable HF_HOME)."
        ) from error


def _pictures(dataset, name, given):
    """Returns the `Pictures` of a split."""
    import datasets

    features = dataset.features
    image = _column(features, datasets.Image, "image", given, name)
    label = _column(features, datasets.ClassLabel, "label", given, name)
    names = tuple(features[label].names) if label else None
    if names and len(names) > MOST_CLASSES:
        raise ValueError(
            f"{name!r} must have at most {MOST_CLASSES} classes. "
            f"Received: {len(names)}."
        )
    labels = None
    if label:
        column = dataset.select_columns([label]).with_format("arrow")[:][label]
        # `datasets` uses -1 for a missing label.
        labels = column.fill_null(-1).to_numpy().astype(np.int64)
    stored = dataset.select_columns([image]).with_format(None)
    stored = stored.cast_column(image, datasets.Image(decode=False))

    def at(row):
        place = f"{name}[{row}]"
        opener = functools.partial(_open, stored, row, image, place)
        return Picture(place, None if labels is None else int(labels[row]), opener)

    return Pictures(
        count=len(dataset),
        class_names=names,
        channels=3,
        rows=lambda start, stop: map(at, range(start, stop)),
        at=at,
        labels=labels,
        problems=tuple(class_name_problems(names or ())),
        fingerprint=repr((len(dataset), [_state(x) for x in dataset.cache_files])),
    )


def _state(cache_file):
    """Returns a tuple that changes if a file of a data set is replaced."""
    facts = os.stat(cache_file["filename"])
    return os.path.basename(cache_file["filename"]), facts.st_size, facts.st_mtime_ns


def _column(features, kind, usual, given, name):
    """Returns the name of a column, or `None` if there is no column of labels.

    Args:
        features: mapping from the names of columns to their features.
        kind: type of the feature.
        usual: str. Name of the column unless another one is given.
        given: dict of options.
        name: str. Name of the data set, for messages.

    Raises:
        ValueError: if there is no such column, or if several could be meant.
    """
    columns = [key for key, feature in features.items() if isinstance(feature, kind)]
    wanted = given.get(usual)
    if wanted is None and usual in columns:
        wanted = usual
    if wanted is None and len(columns) == 1:
        wanted = columns[0]
    if wanted in columns:
        return wanted
    if wanted is None and not columns and usual == "label":
        return None
    kinds = {key: type(feature).__name__ for key, feature in features.items()}
    raise ValueError(
        f"{name!r} needs a column of {kind.__name__} called {wanted or usual!r}; "
        f"name another one as in 'hf:NAME:{usual}=COLUMN'. Received: {kinds}."
    )


def _open(stored, row, column, name):
    """Decodes the picture of a row."""
    value = stored[row][column]
    if not value or value["bytes"] is None:
        path = "" if not value else f" ({value['path']!r:.200}, which is not opened)"
        raise ValueError(
            f"cannot read picture {name}: it is not in the data set{path}; "
            "`save_to_disk` puts pictures into it"
        )
    return open_encoded(value["bytes"], name)
