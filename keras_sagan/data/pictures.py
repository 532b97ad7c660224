"""The pictures of a split as they are stored, whatever holds them."""

import collections
import dataclasses
import io
import typing
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from keras_sagan.data import images
from keras_sagan.data.decoding import map_parallel, open_picture, with_progress
from keras_sagan.data.source import Examples
from keras_sagan.data.storage import MEMORY_LIMIT, allocate
from keras_sagan.data.stored_images import StoredImages

MOST_CLASSES = 1_000_000  # that a class number may be of


class Opened(typing.NamedTuple):
    """A decoded picture: upright, and what is stored: width, height in pixels, mode."""

    image: Image.Image
    width: int
    height: int
    mode: str


def open_encoded(encoded, name):
    """Decodes the bytes of a picture's file: `Opened`; see `decoding.open_picture`."""
    image, stored = open_picture(io.BytesIO(encoded), name)
    return Opened(image, *stored)


class Picture(typing.NamedTuple):
    """One picture.

    Attributes:
        name: str. Its file, or its place in the data set.
        label: int, or `None` when unlabelled.
        open: callable without arguments that returns `Opened`; raises `ValueError`,
            naming the picture, if it cannot be read.
    """

    name: str
    label: int | None
    open: Callable[[], Opened]

    def decode(self, image_size, channels, fit):
        """uint8 array `(image_size, image_size, channels)`; see `images.to_array`."""
        return images.to_array(self.open().image, image_size, channels, fit)


@dataclasses.dataclass(frozen=True)
class Pictures:
    """The pictures of one split, in an order that does not change.

    Attributes:
        count: int. How many there are.
        class_names: tuple of str, or `None` when unlabelled.
        channels: int. Channels of the pictures where the data set has a number, else 3.
        rows: callable of `(start, stop)` that yields the `Picture`s of a range.
        at: callable that returns the `Picture` of a row, from any thread and without
            reading what is before it; or `None`, where they have to be read in order.
        labels: int array `(count,)`, where `at` is given and there are classes.
        problems: tuple of str. What keeps them from being a data set.
        notes: tuple of str. What was left out or corrected on the way.
        fingerprint: str. Changes with the pictures that are listed.
    """

    count: int
    class_names: tuple[str, ...] | None
    channels: int
    rows: Callable[[int, int], Iterator[Picture]]
    at: Callable[[int], Picture] | None = None
    labels: np.ndarray | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fingerprint: str = ""

    def __iter__(self):
        return self.rows(0, self.count)


def class_name_problems(names):
    """Sentences about class names that TFDS would refuse, or store as others: list."""
    problems = []
    twice = [name for name, n in collections.Counter(names).items() if n > 1]
    if twice:
        problems.append(f"class names must differ: {twice[0]!r} is there twice")
    unclean = [n for n in names if n != n.strip() or len(n.splitlines()) != 1]
    if unclean:
        problems.append(
            f"class names must be a line without blanks around it: {unclean[0]!r}"
        )
    return problems


def check_usable(pictures, name):
    """Raises `ValueError` for the first problem, else warns of what was left out.

    Args:
        pictures: `Pictures`.
        name: str. What the data set is called.
    """
    if pictures.problems:
        raise ValueError(f"`name`: {pictures.problems[0]}. Received: {name!r}.")
    for note in pictures.notes:
        warnings.warn(f"{name}: left out: {note}", stacklevel=3)


def open_examples(pictures, name, image_size, channels, fit, directory, memory):
    """The pictures as training reads them: decoded, or left in their files.

    Args:
        pictures, name, image_size, channels, fit, directory: as for `read`.
        memory: int. Bytes that decoded pictures may take. More stay in their files
            where they can be read in any order, and are decoded into a file else.

    Returns:
        `Examples`, of the same values either way.

    Raises:
        ValueError: as `read`; a picture that stays in its file is an `OSError` when it
            is its turn and cannot be read.
    """
    size = pictures.count * image_size**2 * channels
    if pictures.at is None or size <= memory:
        return read(pictures, name, image_size, channels, fit, directory, memory)
    check_usable(pictures, name)
    check_labels(pictures.labels, pictures.class_names, name)
    labels = pictures.labels
    return Examples(
        StoredImages(pictures, image_size, channels, fit),
        None if labels is None else labels.astype(np.int32),
        pictures.class_names,
    )


def read(pictures, name, image_size, channels, fit, directory, memory=MEMORY_LIMIT):
    """Decodes all pictures, in parallel.

    Args:
        pictures: `Pictures`.
        name: str. What the data set is called, for messages.
        image_size: int. Height and width in pixels.
        channels: 1, 3 or 4.
        fit: "crop" or "pad".
        directory: str. Where very large arrays are put (`storage.allocate`).
        memory: int. Bytes above which they are.

    Returns:
        `Examples` in the order of the pictures.

    Raises:
        ValueError: if they have problems, a picture cannot be read (the message names
            it), or a label is out of range.
    """
    check_usable(pictures, name)
    labelled = pictures.class_names is not None
    labels = np.empty(pictures.count, np.int64) if labelled else None
    shape = (pictures.count, image_size, image_size, channels)
    pixels = allocate(shape, directory, memory)

    def decode(picture):
        try:
            return picture.label, picture.decode(image_size, channels, fit)
        except ValueError as error:
            raise ValueError(
                f"{error}. `keras-sagan data check` lists every such picture, `data "
                "prepare` leaves them out."
            ) from error

    decoded = map_parallel(decode, pictures)
    decoded = with_progress(decoded, pictures.count, "decoding")
    for row, (label, array) in enumerate(decoded):
        pixels[row] = array
        if labelled:
            labels[row] = label
    check_labels(labels, pictures.class_names, name)
    return Examples(
        pixels, labels.astype(np.int32) if labelled else None, pictures.class_names
    )


def check_labels(labels, class_names, name):
    """Raises `ValueError` where a label is no index of `class_names`."""
    if labels is None:
        return
    wrong = (labels < 0) | (labels >= len(class_names))
    if wrong.any():
        raise ValueError(
            f"Labels of {name!r} must be in [0, {len(class_names)}). Received: "
            f"{int(wrong.sum())} of {len(labels)} examples outside it, e.g. "
            f"{int(labels[wrong][0])} (TFDS marks an unlabelled example with -1)."
        )
