"""Examines every picture of a data set, once and in parallel."""

import dataclasses
import typing

import numpy as np

from keras_sagan.data import images
from keras_sagan.data.checking import duplicates
from keras_sagan.data.decoding import map_parallel, with_progress

SAMPLE_COLUMNS = 8
_SAMPLE_ROWS = 16  # classes, or rows of unlabelled pictures

_TINY = 2  # factor of enlargement above which a picture is tiny
_NARROW = 3  # ratio of the sides from which a picture is narrow


@dataclasses.dataclass(frozen=True)
class Facts:
    """Facts about a readable picture.

    Attributes:
        name: str.
        label: int, or `None` if unlabelled.
        width, height: int. Size as stored, in pixels.
        mode: str. Pillow's mode, as stored.
        transparent: bool. Whether it can have transparent pixels.
        low, high: int. Smallest and largest value of the training image.
        flat: bool. Whether the training image has a single colour.
        digest: bytes. See `duplicates.digest`.
        hash: bytes or `None`. See `duplicates.perceptual_hash`.
        thumbnail: uint8 array. See `duplicates.thumbnail`.
    """

    name: str
    label: int | None
    width: int
    height: int
    mode: str
    transparent: bool
    low: int
    high: int
    flat: bool
    digest: bytes
    hash: bytes | None
    thumbnail: np.ndarray


class Inspection(typing.NamedTuple):
    """The result of `inspect`.

    Attributes:
        facts: list of `Facts` of the readable pictures, in order.
        labels: int64 array of their labels; -1 if unlabelled.
        unreadable: tuple of str. Why each of the other pictures cannot be read.
        samples: uint8 array of images in rows of `SAMPLE_COLUMNS`, or `None`.
    """

    facts: list
    labels: np.ndarray
    unreadable: tuple[str, ...]
    samples: np.ndarray | None


def inspect(pictures, image_size, channels, fit):
    """Decodes every picture of `Pictures` and returns an `Inspection`."""

    def look(picture):
        try:
            opened = picture.open()
            array = images.to_array(opened.image, image_size, channels, fit)
        except ValueError as error:
            return picture.label, str(error), None
        return picture.label, _facts(picture, opened, array), array

    results = map_parallel(look, pictures)
    samples = _Samples(pictures)
    facts, labels, unreadable = [], [], []
    for label, found, array in with_progress(results, pictures.count, "checking"):
        if array is None:
            unreadable.append(found)
            continue
        labels.append(-1 if label is None else label)
        samples.offer(len(facts), label, array)
        facts.append(found)
    shown = samples.array((image_size, image_size, channels))
    return Inspection(facts, np.array(labels, np.int64), tuple(unreadable), shown)


def odd(facts, image_size):
    """Lists readable pictures that are probably in the data set by mistake.

    Args:
        facts: list of `Facts`.
        image_size: int. Height and width of the training images.

    Returns:
        tuple of str, each of which begins with the name of a picture.
    """
    sentences = []
    for fact in facts:
        short, long = sorted((fact.width, fact.height))
        size = f"{fact.width} x {fact.height} px"
        if short * _TINY < image_size:
            sentences.append(f"{fact.name}: tiny ({size})")
        if long >= _NARROW * short:
            sentences.append(f"{fact.name}: narrow ({size})")
        if fact.flat:
            sentences.append(f"{fact.name}: a single colour and nothing else")
    return tuple(sentences)


class _Samples:
    """Collects the first images of each class, or unlabelled ones evenly spaced."""

    def __init__(self, pictures):
        self._classes = pictures.class_names and len(pictures.class_names)
        most = SAMPLE_COLUMNS * _SAMPLE_ROWS // 2
        self._stride = max(1, pictures.count // most)
        self._rows = {}

    def offer(self, index, label, array):
        if self._classes is None:
            place = index // self._stride
            if index % self._stride == 0 and place < SAMPLE_COLUMNS * _SAMPLE_ROWS // 2:
                self._rows.setdefault(place // SAMPLE_COLUMNS, []).append(array)
        elif 0 <= label < _SAMPLE_ROWS:
            row = self._rows.setdefault(label, [])
            if len(row) < SAMPLE_COLUMNS:
                row.append(array)

    def array(self, shape):
        if not self._rows:
            return None
        rows = max(self._rows) + 1
        result = np.full((rows, SAMPLE_COLUMNS, *shape), 255, np.uint8)
        for row, members in self._rows.items():
            result[row, : len(members)] = members
        return result.reshape(-1, *shape)


def _facts(picture, opened, array):
    low, high = array.min(axis=(0, 1)), array.max(axis=(0, 1))  # of each channel
    return Facts(
        name=picture.name,
        label=picture.label,
        width=opened.width,
        height=opened.height,
        mode=opened.mode,
        transparent=opened.image.has_transparency_data,
        low=int(low.min()),
        high=int(high.max()),
        flat=bool((low == high).all()),
        digest=duplicates.digest(opened.image),
        hash=duplicates.perceptual_hash(opened.image),
        thumbnail=duplicates.thumbnail(opened.image),
    )
