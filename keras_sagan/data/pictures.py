"""The stored pictures of a split, the same for all kinds of data sets."""

import collections
import dataclasses
import io
import typing
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from keras_sagan.data import images, plain_png
from keras_sagan.data.decoding import map_parallel, open_picture, with_progress
from keras_sagan.data.source import Examples
from keras_sagan.data.storage import MEMORY_LIMIT, allocate
from keras_sagan.data.stored_images import StoredImages

MOST_CLASSES = 1_000_000  # classes that a data set may have


class Opened(typing.NamedTuple):
    """A decoded picture, upright, with its stored width, height (pixels) and mode."""

    image: Image.Image
    width: int
    height: int
    mode: str


def open_encoded(encoded, name):
    """Decodes the bytes of a picture's file: `Opened`; see `decoding.open_picture`."""
    image, stored = open_picture(io.BytesIO(encoded), name)
    return Opened(image, *stored)


class Picture(typing.NamedTuple):
    """A picture that has not been read yet.

    Attributes:
        name: str. Path of its file, or its position in the data set.
        label: int, or `None` if unlabelled.
        open: function without arguments that returns `Opened`, or raises a
            `ValueError` that names the picture if it cannot be read.
        encoded: function without arguments that returns the bytes of its file, or
            `None`.
    """

    name: str
    label: int | None
    open: Callable[[], Opened]
    encoded: Callable[[], bytes] | None = None

    def decode(self, image_size, channels, fit):
        """Reads it as a uint8 array `(image_size, image_size, channels)`.

        For the arguments, see `images.to_array`.
        """
        return images.to_array(self.open().image, image_size, channels, fit)

    def as_png(self, image_size, channels, fit):
        """Reads it as a PNG file (bytes) for `plain_png.decode`, with `encoded`."""
        encoded = self.encoded()
        if plain_png.is_plain(encoded, image_size, channels):
            return encoded
        image = open_encoded(encoded, self.name).image
        return plain_png.encode(images.to_array(image, image_size, channels, fit))


@dataclasses.dataclass(frozen=True)
class Pictures:
    """The pictures of a split, in an order that is always the same.

    Attributes:
        count: int. Number of pictures.
        class_names: tuple of str, or `None` if unlabelled.
        channels: int. Number of channels of the data set, or 3 if it has none.
        rows: function of `(start, stop)` that yields the `Picture`s of a range of rows.
        at: function that returns the `Picture` of a row, in any thread and without
            reading earlier ones, or `None` if they can only be read in order.
        labels: int array `(count,)`, if `at` is given and there are classes.
        png_shape: tuple `(height, width, channels)` if they are in PNG files of this
            size, and `at` returns them with `encoded`; otherwise `None`.
        problems: tuple of str. Reasons why they cannot be used as a data set.
        notes: tuple of str. What has been left out or corrected.
        fingerprint: str that differs if other pictures are listed.
    """

    count: int
    class_names: tuple[str, ...] | None
    channels: int
    rows: Callable[[int, int], Iterator[Picture]]
    at: Callable[[int], Picture] | None = None
    labels: np.ndarray | None = None
    png_shape: tuple[int, int, int] | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fingerprint: str = ""

    def __iter__(self):
        return self.rows(0, self.count)


def class_name_problems(names):
    """Lists what is wrong with class names that TFDS would refuse or change.

    Returns: list of str.
    """
    problems = []
    twice = [name for name, n in collections.Counter(names).items() if n > 1]
    if twice:
        problems.append(f"class names must be unique: {twice[0]!r} occurs twice")
    unclean = [n for n in names if n != n.strip() or len(n.splitlines()) != 1]
    if unclean:
        problems.append(
            "class names must be single lines without leading or trailing blanks: "
            f"{unclean[0]!r}"
        )
    return problems


def check_usable(pictures, name):
    """Raises a `ValueError` for the first problem, or warns of what is left out.

    Args:
        pictures: `Pictures`.
        name: str. Name of the data set in messages.
    """
    if pictures.problems:
        raise ValueError(f"`name`: {pictures.problems[0]}. Received: {name!r}.")
    for note in pictures.notes:
        warnings.warn(f"{name}: left out: {note}", stacklevel=3)


def open_examples(pictures, name, image_size, channels, fit, directory, memory):
    """Prepares pictures for training, either decoded or still in their files.

    Args:
        pictures, name, image_size, channels, fit, directory: as for `read`.
        memory: int. Bytes of memory that decoded pictures may take. If they need more,
            they stay in their files, or are decoded into a temporary file if they can
            only be read in order.

    Returns:
        `Examples` with the same values in each case.

    Raises:
        ValueError: as for `read`. If a picture stays in its file and cannot be read
            later, that is an `OSError`.
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
        name: str. Name of the data set in messages.
        image_size: int. Height and width in pixels.
        channels: 1, 3 or 4.
        fit: "crop" or "pad".
        directory: str. Directory for the file of a large array (`storage.allocate`).
        memory: int. Size in bytes above which the array is in a file.

    Returns:
        `Examples` in the order of the pictures.

    Raises:
        ValueError: if they have problems, if a picture cannot be read (the message
            names it), or if a label is out of range.
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
                f"{error}. `keras-sagan data check` lists all such pictures, and `data "
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
    """Raises a `ValueError` if a label is not an index of `class_names`."""
    if labels is None:
        return
    wrong = (labels < 0) | (labels >= len(class_names))
    if wrong.any():
        raise ValueError(
            f"Labels of {name!r} must be in [0, {len(class_names)}). Received: "
            f"{int(wrong.sum())} of {len(labels)} examples outside this range, e.g. "
            f"{int(labels[wrong][0])} (TFDS marks an unlabelled example with -1)."
        )
