"""Reads images from a NumPy file, `npz:PATH`.

The file, written by `numpy.savez`, contains `images` and optionally `labels` and
`class_names`. Arrays with other names are given after the path, as in
`npz:PATH:images=x_train,labels=y_train`; only those are read then. Arrays that need
pickle are not read.
"""

import hashlib

import numpy as np
from PIL import Image

from keras_sagan.data.pictures import (
    MOST_CLASSES,
    Opened,
    Picture,
    Pictures,
    class_name_problems,
)
from keras_sagan.data.sources import options
from keras_sagan.files import npz_files, paths

_ARRAYS = ("images", "labels", "class_names")
_USAGE = (
    "the arrays must be given as 'npz:PATH:images=NAME', optionally with "
    "',labels=NAME' and ',class_names=NAME'."
)
_SHOWN = 10  # names in a message
_TOLERANCE = 1e-3  # by which float images may exceed [-1, 1]


def open_pictures(path):
    """Opens a file as `Pictures`.

    Args:
        path: str. Path of a `.npz` file, optionally with the names of its arrays (see
            above). `images` are uint8, or float in [-1, 1], of shape `(n, H, W)` or
            `(n, H, W, C)` with 1, 3 or 4 channels. `labels` are integers from 0 of
            shape `(n,)` or `(n, 1)`, and `class_names` are str of shape `(k,)`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not as described. The message says what is wrong.
    """
    path, names = _parse(str(path))
    content = _read(path, names)
    try:
        pixels = to_uint8(_shaped(content["images"]))
        labels, names = _labels(content, len(pixels))
    except ValueError as error:
        raise ValueError(f"`name`: {path}: {error}") from None

    def rows(start, stop):
        for row in range(start, stop):
            label = None if labels is None else int(labels[row])
            yield Picture(f"{path}[{row}]", label, lambda row=row: _open(pixels[row]))

    digest = hashlib.sha256(repr((pixels.shape, names)).encode())
    digest.update(np.ascontiguousarray(pixels))
    digest.update(b"" if labels is None else labels.tobytes())
    return Pictures(
        len(pixels), names, pixels.shape[3], rows, fingerprint=digest.hexdigest()
    )


def to_uint8(images):
    """Converts images to uint8 if they are floats in [-1, 1].

    Raises:
        ValueError: if they are neither uint8 nor such floats, or not finite.
    """
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise ValueError(
            "'images' must be uint8 in [0, 255] or float in [-1, 1]. Received: dtype "
            f"{images.dtype}."
        )
    wrong = int((~np.isfinite(images)).sum())
    if wrong:
        raise ValueError(
            f"'images' must be finite. Received: {wrong} values that are NaN or "
            "infinite."
        )
    low, high = float(images.min()), float(images.max())
    if low < -1 - _TOLERANCE or high > 1 + _TOLERANCE or low >= 0:
        hint = " (if they are in [0, 1], use images * 2 - 1)" if low >= 0 else ""
        raise ValueError(
            "'images' must be uint8 in [0, 255] or float in [-1, 1]"
            f"{hint}. Received: {images.dtype} in [{low:g}, {high:g}]."
        )
    return np.rint(127.5 * (images.clip(-1, 1) + 1)).astype(np.uint8)


def _parse(text):
    """Splits text into the path of the file and a dict of array names, or `None`."""
    path, names = options.parse("npz", text, _ARRAYS, _USAGE)
    if names and "images" not in names:
        raise ValueError(f"`name`: {_USAGE} Received: 'npz:{text}'.")
    return paths.local(path), names or None


def _read(path, names):
    """Reads the arrays of a file: dict from "images", "labels" etc. to array."""
    if not path.is_file():
        raise FileNotFoundError(f"`name`: there is no file {path.absolute()}.")
    try:
        found = npz_files.names(path)
        own = "images" in found and set(found) <= set(_ARRAYS)
        wanted = names or ({x: x for x in found} if own else {})
        if wanted and set(wanted.values()) <= set(found):
            content = npz_files.read(path, wanted=set(wanted.values()))
            return {use: content[name] for use, name in wanted.items()}
    except ValueError as error:
        raise ValueError(
            f"`name`: cannot read {path} as a .npz file of arrays: {error}"
        ) from error
    received = f"Received: {sorted(found)[:_SHOWN]}"
    if names:
        raise ValueError(
            f"`name`: {path} must hold {', '.join(map(repr, names.values()))}. "
            f"{received}."
        )
    first = found[0] if found else "NAME"
    raise ValueError(
        f"`name`: {path} must hold 'images', optionally 'labels' and 'class_names', "
        f"and nothing else. If the arrays have other names, give them as in 'npz:{path}"
        f":images={first}', optionally with ',labels=NAME' and ',class_names=NAME'. "
        f"{received}."
    )


def _shaped(images):
    """Returns the images with shape `(n, H, W, C)`."""
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[3] not in (1, 3, 4) or not images.size:
        hint = " Channels come last." if images.shape[1:2] in ((1,), (3,)) else ""
        raise ValueError(
            "'images' must have shape (n, height, width) or (n, height, width, 1, 3 or "
            f"4).{hint} Received: shape {images.shape}."
        )
    return images


def _labels(content, count):
    """Returns int64 labels `(n,)` and a tuple of class names, or None for both."""
    if "labels" not in content:
        if "class_names" in content:
            raise ValueError("there are 'class_names' but no 'labels'.")
        return None, None
    labels = content["labels"]
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"'labels' must be integers from 0. Received: dtype {labels.dtype}."
        )
    if labels.shape == (count, 1):
        labels = labels[:, 0]
    if labels.shape != (count,):
        raise ValueError(
            f"'labels' must have shape ({count},), one for each picture. Received: "
            f"shape {labels.shape}."
        )
    labels = labels.astype(np.int64)
    names = content.get("class_names")
    if names is None:
        if labels.max() >= MOST_CLASSES:
            raise ValueError(
                f"'labels' must be below {MOST_CLASSES}. Received: {labels.max()}."
            )
        names = np.arange(max(int(labels.max()), 0) + 1).astype(str)
    if names.ndim != 1 or names.dtype.kind != "U" or not names.size:
        raise ValueError(
            "'class_names' must be strings of shape (k,). Received: "
            f"{names.dtype} of shape {names.shape}."
        )
    problems = class_name_problems(names.tolist())
    if problems:
        raise ValueError(f"'class_names': {problems[0]}.")
    if labels.min() < 0 or labels.max() >= len(names):
        raise ValueError(
            f"'labels' must be in [0, {len(names)}). Received: labels in "
            f"[{labels.min()}, {labels.max()}]."
        )
    return labels, tuple(names.tolist())


def _open(array):
    grey = array.shape[2] == 1
    image = Image.fromarray(array[:, :, 0] if grey else np.ascontiguousarray(array))
    return Opened(image, image.width, image.height, image.mode)
