"""Reading a folder of pictures: `folder:PATH`."""

import concurrent.futures
import dataclasses
import os
import pathlib
import unicodedata

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from keras_sagan.data import images
from keras_sagan.data.pipeline import Examples
from keras_sagan.data.storage import allocate, data_dir

# File name endings, any case. The content decides which of the formats a file is.
EXTENSIONS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")

_PROGRESS_FROM = 1000  # files


@dataclasses.dataclass(frozen=True)
class FolderListing:
    """The pictures of a folder, none of them opened.

    Attributes:
        files: tuple of `pathlib.Path`, by class, then by name.
        labels: int32 array `(len(files),)`, or `None` when unlabelled.
        class_names: tuple of str, the subfolders' names in order of their code
            points, NFC-normalised; `None` when unlabelled.
        problems: tuple of str. What keeps the folder from being a data set.
    """

    files: tuple[pathlib.Path, ...]
    labels: np.ndarray | None
    class_names: tuple[str, ...] | None
    problems: tuple[str, ...]


def list_pictures(path):
    """Lists a folder: one subfolder a class, or pictures alone (unlabelled).

    Names that start with a dot and files that are no pictures by their ending
    (`EXTENSIONS`) are left out.

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
    folders, pictures = _entries(path)
    if not folders:
        problems = () if pictures else (f"{path} has {_no_pictures()}",)
        return FolderListing(tuple(pictures), None, None, problems)
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
            problems.append(f"class folder {folder} has {_no_pictures()}")
        files += members
        labels += [label] * len(members)
    # macOS stores names decomposed, Linux as typed: NFC makes them equal.
    names = tuple(unicodedata.normalize("NFC", folder.name) for folder in folders)
    if len(set(names)) < len(names):
        problems.append(f"{path} has two class folders whose names look the same")
    return FolderListing(
        tuple(files), np.array(labels, np.int32), names, tuple(problems)
    )


def read(path, split, image_size, channels, cache_dir=None):
    """Decodes the pictures of a folder (see `list_pictures`, `images.to_array`).

    Args:
        path: str.
        split: str. Only "train": a folder is one split.
        image_size: int. Height and width in pixels.
        channels: int. 1 (grey), 3 (RGB) or 4 (RGBA).
        cache_dir: str or `None`. Where very large arrays are put (`storage`).

    Returns:
        `Examples`, by class, then by file name.

    Raises:
        ValueError: if `split` is not "train", the folder is not a data set, or a
            picture cannot be read; the message names the file.
        OSError: if a folder cannot be listed.
    """
    check_split(path, split)
    listing = list_pictures(path)
    if listing.problems:
        raise ValueError(f"`name`: {listing.problems[0]}. Received: 'folder:{path}'.")
    shape = (len(listing.files), image_size, image_size, channels)
    pixels = allocate(shape, data_dir(cache_dir))

    def decode_into(row):
        pixels[row] = decode(listing.files[row], image_size, channels)

    run_parallel(decode_into, len(listing.files), "decoding")
    return Examples(pixels, listing.labels, listing.class_names)


def check_split(path, split):
    """Raises `ValueError` unless `split` is "train", the only split of a folder."""
    if split != "train":
        raise ValueError(
            "`split` must be 'train' for a folder, which is one split as a whole. "
            f"Received: split={split!r} for 'folder:{path}'."
        )


def decode(file, image_size, channels):
    """One picture file as an array: the first frame, turned as its EXIF data say.

    Args:
        file: path of a BMP, GIF, JPEG, PNG or WebP file.
        image_size: int. Height and width in pixels.
        channels: int. 1, 3 or 4.

    Returns:
        uint8 array `(image_size, image_size, channels)`.

    Raises:
        ValueError: if it cannot be read or has more pixels than Pillow's limit
            against decompression bombs; the message names the file.
    """
    try:
        with Image.open(file, formats=FORMATS) as picture:
            # JPEG only: decode at 1/2, 1/4 or 1/8 where that leaves at least two
            # source pixels for each pixel of the result.
            picture.draft(None, (2 * image_size, 2 * image_size))
            upright = ImageOps.exif_transpose(picture)
            return images.to_array(upright, image_size, channels)
    except Exception as error:  # decoders raise nearly everything on broken files
        raise ValueError(
            f"cannot read picture {file}: {type(error).__name__}: {error}"
        ) from error


def run_parallel(function, count, description):
    """Calls `function(0)` ... `function(count - 1)` on threads.

    Shows progress on stderr where there are many calls.

    Raises:
        The exception of the first call, in that order, that has one; the calls not
        yet begun are dropped.
    """
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4
    pool = concurrent.futures.ThreadPoolExecutor(workers)
    try:
        results = pool.map(function, range(count))
        quiet = count < _PROGRESS_FROM
        for _ in tqdm(results, description, count, disable=quiet, unit="img"):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


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


def _no_pictures():
    return f"no pictures ({', '.join(EXTENSIONS)})"
