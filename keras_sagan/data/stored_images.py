"""Images that stay in their files until they are needed."""

import contextlib
import operator

import numpy as np

from keras_sagan.data.decoding import map_parallel

_ALONE = 8  # pictures up to which no threads are used


class StoredImages:
    """The images of a split, which are read like a uint8 array but decoded on demand.

    `images[rows]`, with an index, a slice or an array of indices, decodes only these
    pictures, in parallel. `shape`, `dtype` and `len` open no file. `images[:]` decodes
    everything.

    Args:
        pictures: `Pictures` with `at`.
        image_size: int. Height and width in pixels.
        channels: 1, 3 or 4.
        fit: "crop" or "pad".
        order: int array, or `None`. Index of the picture of each row. Defaults to the
            order of the pictures.

    Attributes:
        failure: `OSError` or `None`. The error of a picture that could not be read;
            TensorFlow raises an error of its own instead.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, pictures, image_size, channels, fit, order=None):
        self.shape = (pictures.count, image_size, image_size, channels)
        self.failure = None
        self._pictures, self._fit, self._order = pictures, fit, order

    @property
    def are_png(self):
        """bool. Whether `as_png` is the fastest way to read them."""
        return self._pictures.png_shape == self.shape[1:]

    def __len__(self):
        return self.shape[0]

    def as_png(self, rows):
        """Returns plain PNG files for `plain_png.decode`: object array of bytes.

        Args:
            rows: int array `(count,)` of indices in [0, n).

        Raises:
            OSError: if a picture cannot be read. The message names it.
        """

        def read(row):
            with self._keeping_failures():
                picture = self._pictures.at(self._stored(row))
                return picture.as_png(*self.shape[2:], self._fit)

        files = list(_map(read, rows.tolist()))
        return np.array(files, object)

    def __getitem__(self, rows):
        """Decodes images: uint8 array `(*shape of rows, *shape of an image)`.

        Raises:
            IndexError: if a row is not in [-n, n).
            OSError: if a picture cannot be read. The message names it.
        """
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        elif not isinstance(rows, np.ndarray):
            return self._decode(range(len(self))[operator.index(rows)])
        wanted = rows.ravel().tolist()
        places = range(len(self))
        decoded = _map(lambda row: self._decode(places[row]), wanted)
        result = np.empty((len(wanted), *self.shape[1:]), np.uint8)
        for place, image in enumerate(decoded):
            result[place] = image
        return result.reshape(*rows.shape, *self.shape[1:])

    def in_order(self, order):
        """Returns the same images in another order, still in their files.

        Args:
            order: int array `(n,)`. A permutation of the rows.
        """
        earlier = np.arange(len(self)) if self._order is None else self._order
        _, size, _, channels = self.shape
        return StoredImages(self._pictures, size, channels, self._fit, earlier[order])

    def _decode(self, row):
        with self._keeping_failures():
            picture = self._pictures.at(self._stored(row))
            return picture.decode(*self.shape[2:], self._fit)

    def _stored(self, row):
        return row if self._order is None else int(self._order[row])

    @contextlib.contextmanager
    def _keeping_failures(self):
        try:
            yield
        except ValueError as error:
            self.failure = OSError(str(error).rstrip("."))
            raise self.failure from error


def _map(function, rows):
    return (map_parallel if len(rows) > _ALONE else map)(function, rows)
