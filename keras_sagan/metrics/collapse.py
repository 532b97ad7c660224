"""Measures signs of collapse and copying on small versions of images.

The images are compared without a network. A classifier ignores properties on which its
classes do not depend, e.g. the colour of a digit, and collapse often begins with those.
"""

import numpy as np

from keras_sagan.metrics import classes
from keras_sagan.metrics.image_sets import ImageSet
from keras_sagan.metrics.scores import neighbours, precision_recall

LOOKED_AT = 1000  # generated images, of all classes together
LEAST = 20  # images of a class; if all classes have fewer, they are taken together
COMPARED = 10_000  # real images, enough to find the originals of copies
_SIDE = 8  # height and width of small versions in pixels
_NEAREST = 5
_BATCH = 256
_REPEATED = 0.05  # quantiles of the distances from real images to the nearest
_COPIED = 0.01


class Reference:
    """Real images with which generated ones are compared; keeps their small versions.

    Args:
        real: `ImageSet`, which should have at most `COMPARED` images.

    Raises:
        ValueError: if there are fewer than `LEAST` real images.
    """

    def __init__(self, real: ImageSet) -> None:
        self.small = _small_versions(real)
        self.labels, self.class_names = real.labels, real.class_names
        (cloud,) = neighbours.clouds(self.small)
        usual = np.sqrt(neighbours.squared_radii(cloud, 1))
        self.copied = np.quantile(usual, _COPIED)

    def signs(self, fake: ImageSet) -> dict[str, float]:
        """Measures signs of collapse in generated images.

        Args:
            fake: `ImageSet`. More than `LOOKED_AT` images add little.

        Returns: dict with

            - class_coverage, class_precision: share of the real images of a class with
              a generated one nearby, and of the generated ones with a real one nearby,
              for the class in which the former is lowest relative to the latter.
            - lowest_class: index of that class, or -1 if classes are taken together.
            - class_recall: share of the real images of a class that are among generated
              ones; the lowest of all classes.
            - class_distinct: share of the generated images of a class whose nearest
              neighbour is farther away than that of 5 % of the real ones; the lowest of
              all classes.
            - copied: share of the generated images that are nearer to a real one than
              99 % of the real ones are to each other.
        """
        small = _small_versions(fake)
        values = [
            {"lowest_class": float(label), **_within(self.small[a], small[b])}
            for label, a, b in self._groups(fake)
        ]
        lowest = min(
            values, key=lambda x: x["class_coverage"] / max(x["class_precision"], 0.5)
        )
        worst = {
            x: min(y[x] for y in values) for x in ("class_recall", "class_distinct")
        }
        a, b = neighbours.clouds(small, self.small)
        copied = neighbours.nearest(a, b)[1] <= self.copied
        return {**lowest, **worst, "copied": float(copied.mean())}

    def _groups(self, fake):
        """Returns tuples of a class and equally many rows of real and fake images."""
        groups = []
        if self.labels is not None and fake.labels is not None:
            labels = classes.relabel(fake.labels, fake.class_names, self.class_names)
            for label in np.unique(labels):
                rows = [np.flatnonzero(x == label) for x in (self.labels, labels)]
                groups.append((label, *_equally_many(*rows)))
        groups = [x for x in groups if len(x[1]) >= LEAST]
        every = [np.arange(len(self.small)), np.arange(fake.count)]
        return groups or [(-1, *_equally_many(*every))]


def _within(real, fake):
    """Measures coverage, precision, recall and distinct images within a class."""
    scores = precision_recall.precision_recall_density_coverage(real, fake, _NEAREST)
    names = ("coverage", "precision", "recall")
    of_real, of_fake = (
        np.sqrt(neighbours.squared_radii(x, 1)) for x in neighbours.clouds(real, fake)
    )
    distinct = of_fake > np.quantile(of_real, _REPEATED)
    return {
        **{f"class_{name}": scores[name] for name in names},
        "class_distinct": float(distinct.mean()),
    }


def _equally_many(first, second):
    """Reduces the longer of two arrays to the length of the other."""
    count = min(len(first), len(second))
    return [x[np.linspace(0, len(x) - 1, count).astype(int)] for x in (first, second)]


def _small_versions(images):
    """Returns the means over an 8 x 8 grid: float32 `(images, 64 * channels)`."""
    return np.concatenate([_small(batch) for batch in images.batches(_BATCH)])


def _small(images):
    count, height, width, channels = images.shape
    rows, columns = max(height // _SIDE, 1), max(width // _SIDE, 1)
    images = images[:, : height // rows * rows, : width // columns * columns]
    cells = images.reshape(
        count, height // rows, rows, width // columns, columns, channels
    )
    return cells.mean(axis=(2, 4), dtype=np.float32).reshape(count, -1)
