"""Signs that a generator collapses or copies, seen in small versions of its images.

No network is asked: classifiers ignore what their classes do not depend on, e.g. the
colour of a digit, and collapse often begins there.
"""

import numpy as np

from keras_sagan.metrics import classes
from keras_sagan.metrics.image_sets import ImageSet
from keras_sagan.metrics.scores import neighbours, precision_recall

LOOKED_AT = 1000  # generated images, of all classes together
LEAST = 20  # images of a class; with fewer, all classes are one
COMPARED = 10_000  # real images that are enough to find originals among
_SIDE = 8  # pixels of a small version
_NEAREST = 5
_BATCH = 256
_REPEATED = 0.05  # quantiles of the distances from real images to the nearest
_COPIED = 0.01


class Reference:
    """Real images that generated ones are looked at beside; small versions are kept.

    Args:
        real: `ImageSet`, of `COMPARED` images or fewer where there are many.

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
        """What is seen of generated images.

        Args:
            fake: `ImageSet`; of `LOOKED_AT` images all are worth their time.

        Returns: dict with

            - class_coverage, class_precision: share of the real images of a class that
              have a generated one near, and of the generated ones that have a real one
              near, in the class where the first is lowest beside the second.
            - lowest_class: index of that class, -1 where classes are not told apart.
            - class_recall: share of the real images of a class that lie among generated
              ones, the lowest of all classes.
            - class_distinct: share of the generated images of a class whose nearest
              other one is farther than that of 5 % of the real ones, likewise.
            - copied: share of the generated images that are nearer to a real one than
              99 % of the real ones are to each other.
        """
        small = _small_versions(fake)
        found = [
            {"lowest_class": float(label), **_within(self.small[a], small[b])}
            for label, a, b in self._groups(fake)
        ]
        lowest = min(
            found, key=lambda x: x["class_coverage"] / max(x["class_precision"], 0.5)
        )
        worst = {
            x: min(y[x] for y in found) for x in ("class_recall", "class_distinct")
        }
        a, b = neighbours.clouds(small, self.small)
        copied = neighbours.nearest(a, b)[1] <= self.copied
        return {**lowest, **worst, "copied": float(copied.mean())}

    def _groups(self, fake):
        """A class, and equally many rows of its real and of its generated images."""
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
    """Coverage, precision, recall and the share of distinct images, of one class."""
    found = precision_recall.precision_recall_density_coverage(real, fake, _NEAREST)
    names = ("coverage", "precision", "recall")
    of_real, of_fake = (
        np.sqrt(neighbours.squared_radii(x, 1)) for x in neighbours.clouds(real, fake)
    )
    distinct = of_fake > np.quantile(of_real, _REPEATED)
    return {
        **{f"class_{name}": found[name] for name in names},
        "class_distinct": float(distinct.mean()),
    }


def _equally_many(first, second):
    """Two arrays, the longer one thinned out to the length of the other."""
    count = min(len(first), len(second))
    return [x[np.linspace(0, len(x) - 1, count).astype(int)] for x in (first, second)]


def _small_versions(images):
    """Means of an 8 x 8 grid: float32 `(images, 64 * channels)`."""
    return np.concatenate([_small(batch) for batch in images.batches(_BATCH)])


def _small(images):
    count, height, width, channels = images.shape
    rows, columns = max(height // _SIDE, 1), max(width // _SIDE, 1)
    images = images[:, : height // rows * rows, : width // columns * columns]
    cells = images.reshape(
        count, height // rows, rows, width // columns, columns, channels
    )
    return cells.mean(axis=(2, 4), dtype=np.float32).reshape(count, -1)
