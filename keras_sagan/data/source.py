"""The endless stream of examples, a pure function of seed and global example index."""

import dataclasses
import operator

import numpy as np

from keras_sagan.data import plain_png

# The third word of the shuffle's seed makes the data order independent of all other
# uses of the seed of a run.
SHUFFLE_PURPOSE = int.from_bytes(b"data", "big")

# Likewise for the order within a class and the order of classes if they are balanced.
# The number of the part or of the class in a part is added to each of these words,
# which are 16 million apart.
_CLASS_PURPOSE = int.from_bytes(b"clas", "big")
_BLOCK_PURPOSE = int.from_bytes(b"bloc", "big")

LABEL_SAMPLING = ("natural", "balanced")

# Rounds of the block cipher that permutes an epoch. With TensorFlow's usual 4 rounds,
# successive epochs of 60,000 examples correlate by 0.84, and pairs of examples share a
# batch again 264 times as often as by chance. With 16, neither differs from chance.
SHUFFLE_ROUNDS = 16

PREFETCH_BATCHES = 2

SEEDS = (0, 2**32 - 1)  # smallest and largest


@dataclasses.dataclass(frozen=True)
class Examples:
    """The examples of a split, in stored order.

    Attributes:
        images: uint8 array `(n, height, width, channels)`, or
            `stored_images.StoredImages`, which is read like one.
        labels: int32 array `(n,)`, or `None` if unlabelled.
        class_names: tuple of str with one name per class, or `None` if unlabelled.
    """

    images: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...] | None


@dataclasses.dataclass(frozen=True)
class Source:
    """The images of a split, and an endless stream of batches of them.

    It is returned by `keras_sagan.data.load`. To use the same examples with another
    batch size or seed, call `dataclasses.replace(source, batch_size=...)`.

    Attributes:
        name: str. Name given to `load`.
        split: str. Name of the split.
        batch_size: int. Number of examples in a batch; at most that of all examples.
        seed: int in [0, 2**32). Determines the order of the stream.
        examples: `Examples`. The examples of the split.
        label_sampling: "natural" or "balanced". Whether every epoch shows every example
            once, or the stream shows all classes equally often, and the examples of
            each class equally often among themselves.
        parts: int. Number of equal blocks of rows into which every batch is divided,
            and of equal ranges into which the examples are divided in stored order.
            Block `k` shows examples of range `k` only, so that a worker that reads some
            rows of every batch reads only some ranges (see `stream`). With several
            parts, the stream depends on the batch size.

    Raises:
        ValueError: if `batch_size` is not in [1, number of examples], if `seed` is not
            in [0, 2**32), if `parts` does not divide `batch_size`, if `label_sampling`
            is something else, or if it is "balanced" and there are no classes or a
            class has no examples in a part.
        TypeError: if `batch_size`, `seed` or `parts` is not an integer.
    """

    name: str
    split: str
    batch_size: int
    seed: int
    examples: Examples = dataclasses.field(repr=False, compare=False)
    label_sampling: str = "natural"
    parts: int = 1

    def __post_init__(self):
        size = check_integer("batch_size", self.batch_size, 1)
        seed = check_integer("seed", self.seed, *SEEDS)
        if size > self.num_examples:
            raise ValueError(
                f"`batch_size` must be at most the number of examples: split "
                f"{self.split!r} of {self.name!r} has {self.num_examples}. "
                f"Received: batch_size={size}."
            )
        object.__setattr__(self, "parts", check_parts(self.parts, size))
        _check_label_sampling(self)
        object.__setattr__(self, "batch_size", size)
        object.__setattr__(self, "seed", seed)

    @property
    def num_examples(self):
        """int. Number of examples in the split."""
        return len(self.examples.images)

    @property
    def image_size(self):
        """int. Height and width of the images in pixels."""
        return self.examples.images.shape[1]

    @property
    def channels(self):
        """int. 1 (grey), 3 (RGB) or 4 (RGBA)."""
        return self.examples.images.shape[3]

    @property
    def class_names(self):
        """Tuple of str with one name per class, or `None` if unlabelled."""
        return self.examples.class_names

    @property
    def num_classes(self):
        """int, or `None` if unlabelled."""
        return None if self.class_names is None else len(self.class_names)

    @property
    def class_counts(self):
        """Tuple of int. Number of examples of each class, or `None` if unlabelled."""
        if self.class_names is None:
            return None
        counts = np.bincount(self.examples.labels, minlength=self.num_classes)
        return tuple(counts.tolist())

    @property
    def dataset(self):
        """`tf.data.Dataset`. The stream from its beginning (see `stream`)."""
        return self.stream(0)

    def arrays(self):
        """Returns the whole split in stored order.

        Returns:
            Tuple `(images, labels)`: uint8 `(n, height, width, channels)`, and int32
            `(n,)` or `None` if unlabelled. These are the arrays of the source itself,
            so copy them before you change them. If the data set is larger than
            `data_memory`, the images may be `stored_images.StoredImages`, which are
            decoded when they are indexed.
        """
        return self.examples.images, self.examples.labels

    def stream(self, start=0, count=None):
        """Returns the endless stream of batches, beginning at any example.

        Example `g` of the stream is at position `g % n` of epoch `g // n`, where `n` is
        `num_examples`. Every epoch is a permutation of the split that depends on the
        seed and the number of the epoch only, so that the stream can be continued
        anywhere as if it had never stopped. A batch may extend from the end of an epoch
        into the next one. If classes are balanced, the stream consists of blocks with
        one example of each class, in an order that depends on the seed and the number
        of the block, and each class has its own epochs.

        With several parts, row `r = g % batch_size` of a batch belongs to part
        `r // size`, where `size` is `batch_size // parts`. It is example
        `g // batch_size * size + r % size` of the stream of this part, which is as
        above with the examples of the part only, and with its own permutations.

        Args:
            start: int >= 0. Global index of the first example. It need not be a
                multiple of the batch size.
            count: int in [1, batch_size]. Number of examples that are read of every
                `batch_size` ones, if others read the rest. Defaults to `batch_size`.

        Returns:
            Endless `tf.data.Dataset` of `(images, labels)`: uint8
            `(count, height, width, channels)` and int32 `(count,)`, or of images alone
            if unlabelled. All shapes are static.

        Raises:
            ValueError: if `start` or `count` is out of range.
            TypeError: if one of them is not an integer.
        """
        import tensorflow as tf

        start = check_integer("start", start, 0)
        count = self.batch_size if count is None else count
        count = check_integer("count", count, 1, self.batch_size)
        counter = tf.data.Dataset.counter(start, self.batch_size, dtype=tf.int64)
        dataset = counter.map(
            lambda first: self._gather(first + tf.range(count, dtype=tf.int64)),
            name="gather_batch",
        )
        return dataset.prefetch(PREFETCH_BATCHES)

    def _gather(self, indices):
        """Returns the examples of global indices (int64 `(count,)`)."""
        import tensorflow as tf

        images, labels = self.arrays()
        order = {"natural": self._rows, "balanced": self._balanced_rows}
        rows = order[self.label_sampling](indices)

        are_png = getattr(images, "are_png", False)
        read, kind = (
            (images.as_png, tf.string) if are_png else (images.__getitem__, tf.uint8)
        )
        if labels is None:
            batch = tf.numpy_function(read, [rows], kind, stateful=False)
        else:
            batch, batch_labels = tf.numpy_function(
                lambda rows: (read(rows), labels[rows]),
                [rows],
                (kind, tf.int32),
                stateful=False,
            )
            batch_labels.set_shape(indices.shape)
        shape = images.shape[1:]
        if are_png:
            batch.set_shape(indices.shape)
            batch = plain_png.decode(batch, shape)
        batch.set_shape((*indices.shape, *shape))
        return batch if labels is None else (batch, batch_labels)

    def _rows(self, indices):
        """Maps global example indices to stored rows; both are int64 `(count,)`."""
        import tensorflow as tf

        parts, indices = self._places(indices)
        bounds = self._bounds()
        counts = tf.gather(np.diff(bounds), parts)
        within = self._shuffled(indices, counts, SHUFFLE_PURPOSE + parts)
        return tf.gather(bounds, parts) + within

    def _balanced_rows(self, indices):
        """Does the same as `_rows`, but so that classes are equally frequent."""
        import tensorflow as tf

        parts, indices = self._places(indices)
        classes = tf.fill(tf.shape(indices), tf.constant(self.num_classes, tf.int64))
        blocks = indices // classes
        labels = self._shuffled(indices, classes, _BLOCK_PURPOSE + parts)
        # A group is a class in a part.
        groups = parts * classes + labels
        stored_groups, sizes = self._groups()
        # Each block has one example of each class, so that the number of the block is
        # also the number of earlier examples of the group.
        within = self._shuffled(
            blocks, tf.gather(sizes, groups), _CLASS_PURPOSE + groups
        )
        by_group = np.argsort(stored_groups, kind="stable").astype(np.int64)
        starts = np.cumsum(sizes) - sizes
        return tf.gather(by_group, tf.gather(starts, groups) + within)

    def _places(self, indices):
        """Returns the parts of examples of the stream, and their indices in these."""
        batches, rows = indices // self.batch_size, indices % self.batch_size
        size = self.batch_size // self.parts
        return rows // size, batches * size + rows % size

    def _bounds(self):
        """Returns the first rows of the parts, and the end: int64 `(parts + 1,)`."""
        return (
            np.arange(self.parts + 1, dtype=np.int64) * self.num_examples // self.parts
        )

    def _groups(self):
        """Returns the group of each example (part * classes + label), and their sizes.

        Both are int64 arrays: `(num_examples,)` and `(parts * num_classes,)`.
        """
        parts = np.repeat(np.arange(self.parts), np.diff(self._bounds()))
        groups = parts * self.num_classes + self.examples.labels
        return groups, np.bincount(groups, minlength=self.parts * self.num_classes)

    def _shuffled(self, indices, counts, purpose):
        """Returns the position of index `i` in the permutation of epoch `i // count`.

        Args:
            indices, counts: int64 `(count,)`.
            purpose: int64 `(count,)`. Makes permutations independent.
        """
        import tensorflow as tf

        epochs = indices // counts
        constant = tf.ones_like(epochs)
        seeds = tf.stack(  # (count, 3): a batch may span two epochs
            [constant * self.seed, epochs, purpose], axis=1
        )
        # `tf.random.experimental.index_shuffle` always uses 4 rounds.
        return tf.raw_ops.RandomIndexShuffle(
            index=indices % counts,
            seed=seeds,
            max_index=counts - 1,
            rounds=SHUFFLE_ROUNDS,
        )


def _check_label_sampling(source):
    if source.label_sampling not in LABEL_SAMPLING:
        raise ValueError(
            f"`label_sampling` must be one of {LABEL_SAMPLING}. "
            f"Received: label_sampling={source.label_sampling!r}."
        )
    if source.label_sampling == "natural":
        return
    if source.class_names is None:
        raise ValueError(
            f"`label_sampling` 'balanced' needs classes, but {source.name!r} has none. "
            "Received: label_sampling='balanced'."
        )
    if 0 in source.class_counts:
        empty = source.class_names[source.class_counts.index(0)]
        raise ValueError(
            "`label_sampling` 'balanced' needs examples of every class, but split "
            f"{source.split!r} of {source.name!r} has none of {empty!r}. Received: "
            "label_sampling='balanced'."
        )
    _, sizes = source._groups()
    if 0 in sizes:
        part, label = divmod(sizes.tolist().index(0), source.num_classes)
        first, end = source._bounds()[part : part + 2]
        raise ValueError(
            "`label_sampling` 'balanced' needs examples of every class in every part, "
            f"but part {part} of {source.name!r}, rows {first} to {end - 1} in stored "
            f"order, has none of {source.class_names[label]!r}. Store the classes in "
            "mixed order, or use fewer parts or natural labels. Received: "
            f"label_sampling='balanced', parts={source.parts}."
        )


def check_parts(parts, batch_size):
    """Checks that parts can share a batch evenly, and returns their number as an int.

    Raises:
        TypeError: if it is not an integer.
        ValueError: if it is not positive, or does not divide the batch size.
    """
    parts = check_integer("parts", parts, 1)
    if batch_size % parts:
        raise ValueError(
            "`parts` must divide `batch_size`, so that all parts have equally many "
            f"rows of a batch. Received: parts={parts}, batch_size={batch_size}."
        )
    return parts


def check_integer(name, value, lowest, highest=None):
    """Checks that `value` is an integer in [lowest, highest] and returns it as an int.

    Raises:
        TypeError: if it is a bool or not an integer.
        ValueError: if it is out of range.
    """
    allowed = f">= {lowest}" if highest is None else f"in [{lowest}, {highest}]"
    message = f"`{name}` must be an integer {allowed}. Received: {name}={value!r}."
    if isinstance(value, bool | np.bool_):
        raise TypeError(message)
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(message) from None
    if value < lowest or (highest is not None and value > highest):
        raise ValueError(message)
    return value
