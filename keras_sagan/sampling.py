"""Reproducible random numbers for training and generation (TensorFlow).

Draws for training are a function of the seed, the purpose, the step, and the index of
the sample in the global batch. Every replica draws the whole global batch and takes its
own rows, so that the numbers do not depend on the number of replicas. Draws for
generation are a function of one seed per row, so that a row does not depend on the rest
of its batch.

The arguments of `generate` (labels, seeds, truncation) are also turned into rows here,
for trained and for exported models alike.
"""

import enum

import numpy as np
import tensorflow as tf


class Purpose(enum.IntEnum):
    """The purpose of a draw; draws for different purposes are independent."""

    DISCRIMINATOR_STEP = 0
    GENERATOR_STEP = 1
    EVALUATION = 2
    STANDING_STATISTICS = 3


_DRAWS_PER_PURPOSE = 2  # latents, labels


def batch_latents(seed, purpose, step, count, latent_dim, dtype="float32"):
    """Draws the latents of one global batch from N(0, I).

    Args:
        seed: int. The seed of the run.
        purpose: `Purpose`.
        step: int or int64 scalar tensor.
        count: int or int32 scalar tensor. Number of rows of the global batch.
        latent_dim: int.
        dtype: float dtype of the result.

    Returns: tensor `(count, latent_dim)`. Row `i` is the same for every `count`.
    """
    key = _key(seed, purpose, 0, step)
    uniform = _uniform(_bits((count, latent_dim), key))
    return tf.cast(tf.math.ndtri(uniform), dtype)


def batch_labels(seed, purpose, step, count, num_classes, weights=None):
    """Draws the labels of one global batch.

    Args:
        seed, purpose, step, count: as for `batch_latents`.
        num_classes: int.
        weights: sequence of `num_classes` numbers >= 0, the relative frequencies of
            the classes, or None if all are equally frequent.

    Returns: int32 tensor `(count,)`. Row `i` is the same for every `count`.

    Raises:
        ValueError: if the number of weights is not `num_classes`.
    """
    key = _key(seed, purpose, 1, step)
    if weights is None:
        return tf.random.stateless_uniform(
            (count,), key, 0, num_classes, dtype=tf.int32, alg="philox"
        )
    if len(weights) != num_classes:
        raise ValueError(
            f"`fake_label_weights` must be {num_classes} numbers, one per class. "
            f"Received: {len(weights)}, {tuple(weights)}."
        )
    below = np.cumsum(weights, dtype=np.float64)[:-1] / np.sum(weights)
    uniform = _uniform(_bits((count,), key))
    # Inversion of the cumulative frequencies.
    return tf.searchsorted(tf.constant(below), uniform, side="right")


def batch_uniform(seed, purpose, draw, step, count, width):
    """Draws uniform numbers in (0, 1) for the augmentation of one global batch.

    They are independent of the latents and labels drawn for the same step.

    Args:
        seed, purpose, step, count: as for `batch_latents`.
        draw: int in [0, 2). Which draw of that purpose: 0 for real images, 1 for
            generated ones.
        width: int. Count of numbers per row.

    Returns: float32 tensor `(count, width)` of odd multiples of 2^-24. Row `i` is the
        same for every `count`.
    """
    key = _key(seed, purpose, draw, step)
    # Latents and labels have streams >= 0, so a negative one is free.
    key = tf.stack([-1 - key[0], key[1]])
    bits = tf.bitwise.right_shift(_bits((count, width), key), np.uint32(9))
    # Via int32: not every device, nor XLA, converts uint32 to float.
    return (tf.cast(tf.cast(bits, tf.int32), tf.float32) + 0.5) * 2.0**-23


def own_rows(function, count):
    """Draws for the global batch and returns the rows of this replica.

    Args:
        function: function from the number of rows of the global batch to a tensor.
        count: int or int32 scalar tensor. Number of rows of each replica.
    """
    replica = tf.distribute.get_replica_context()
    start = count * replica.replica_id_in_sync_group
    return function(count * replica.num_replicas_in_sync)[start : start + count]


def row_latents(seeds, latent_dim, truncation):
    """Draws latents of which each row depends only on its own seed and truncation.

    Args:
        seeds: int64 tensor `(n,)`.
        latent_dim: int.
        truncation: float32 tensor `(n,)`. A row with truncation `t > 0` is drawn from
            the normal distribution truncated to [-t, t], by inversion. (Redrawing
            every entry until it lies inside has the same distribution.) 0 means no
            truncation.

    Returns: float32 tensor `(n, latent_dim)`.
    """

    def bits(seed):
        return _bits((latent_dim,), tf.stack([seed, tf.zeros_like(seed)]))

    spec = tf.TensorSpec((latent_dim,), tf.uint32)
    uniform = _uniform(tf.map_fn(bits, seeds, fn_output_signature=spec))
    limit = tf.cast(truncation, tf.float64)[:, tf.newaxis]
    below = 0.5 * tf.math.erfc(limit / 2.0**0.5)  # probability mass below -limit
    below = tf.where(limit > 0, below, tf.zeros_like(below))
    latents = tf.math.ndtri(below + uniform * (1.0 - 2.0 * below))
    latents = tf.where(limit > 0, tf.clip_by_value(latents, -limit, limit), latents)
    return tf.cast(latents, tf.float32)


def resolve_labels(labels, num_images, num_classes, class_names):
    """Checks the labels that `generate` is given, and turns them into class indices.

    Args:
        labels: None, or one or more class indices or class names.
        num_images: None, or int > 0. Required for an unconditional model only.
        num_classes: int, or None for an unconditional model.
        class_names: tuple of str, or None.

    Returns: tuple of the labels, int32 `(n,)` (None for an unconditional model), and
        the number of images `n`.

    Raises:
        ValueError: if labels are missing, unknown or out of range, or if `num_images`
            is given where it should not be.
    """
    if num_classes is None:
        if labels is not None or num_images is None:
            raise ValueError(
                "The model is unconditional: pass `num_images` and no `labels`. "
                f"Received: labels={labels!r}, num_images={num_images!r}."
            )
        _check_count(num_images)
        return None, int(num_images)
    if labels is None or num_images is not None:
        raise ValueError(
            "The model is conditional: pass `labels`, one per image, and no "
            f"`num_images`. Received: labels={labels!r}, num_images={num_images!r}."
        )
    indices = [_class_index(x, num_classes, class_names) for x in _rows(labels)]
    _check_count(len(indices))
    return np.array(indices, np.int32), len(indices)


def resolve_seeds(seed, count):
    """Returns int64 seeds `(count,)`: `seed + i` for row `i`, or `count` given seeds.

    Raises:
        ValueError: if `seed` is neither an integer nor `count` integers, or if a seed
            has more than 64 bits.
    """
    seeds = np.asarray(seed)
    rows = count if seeds.ndim == 0 else 1  # that are counted on from a seed
    if (
        seeds.dtype.kind not in "iu"
        or seeds.shape not in ((), (count,))
        or int(seeds.max(initial=0)) + rows - 1 > np.iinfo(np.int64).max
    ):
        raise ValueError(
            f"`seed` must be an integer, or {count} integers, one per image, and no "
            f"image may have one above 2**63 - 1. Received: seed={seed!r}."
        )
    seeds = seeds.astype(np.int64)
    return seeds + np.arange(count) if seeds.ndim == 0 else seeds


def resolve_truncation(truncation, count):
    """Returns float32 truncations `(count,)`, all 0 if `truncation` is None.

    Raises:
        ValueError: if `truncation` is not a positive float32 number.
    """
    if truncation is None:
        return np.zeros((count,), np.float32)
    number = _is_integer(truncation) or isinstance(truncation, (float, np.floating))
    bounds = np.finfo(np.float32)  # outside of them it becomes 0 or infinite
    least, most = float(bounds.tiny), float(bounds.max)
    if not (number and least <= truncation <= most):
        raise ValueError(
            "`truncation` must be a finite number > 0 of 32 bits, or None. "
            f"Received: truncation={truncation!r}."
        )
    return np.full((count,), truncation, np.float32)


def check_batch_size(batch_size):
    """Raises a `ValueError` unless `batch_size` is an integer > 0."""
    if not _is_integer(batch_size) or batch_size < 1:
        raise ValueError(
            f"`batch_size` must be an integer > 0. Received: batch_size={batch_size!r}."
        )


def latents(latent_dim, seeds, truncation=None):
    """Returns the latents that `generate` draws for given seeds.

    Args:
        latent_dim: int.
        seeds: sequence of int, of length `n`.
        truncation: float > 0, or `None`.

    Returns: float32 array `(n, latent_dim)`.

    Raises:
        ValueError: if `truncation` is anything else.
    """
    limits = resolve_truncation(truncation, len(seeds))
    seeds = tf.constant(seeds, tf.int64)
    return row_latents(seeds, latent_dim, tf.constant(limits)).numpy()


def _rows(labels):
    """Returns labels as a list; a single label becomes a list of one."""
    if hasattr(labels, "__array__"):
        labels = np.asarray(labels).tolist()
    return list(labels) if isinstance(labels, (list, tuple, range)) else [labels]


def _class_index(label, num_classes, class_names):
    if isinstance(label, str):
        if class_names is None or label not in class_names:
            raise ValueError(
                "`labels` must be indices of classes, or names that the model knows: "
                f"{class_names or 'it has none'}. Received: {str(label)!r}."
            )
        return class_names.index(label)
    if not _is_integer(label) or not 0 <= label < num_classes:
        raise ValueError(
            f"`labels` must be integers in [0, {num_classes}) or class names. "
            f"Received: {label!r}."
        )
    return int(label)


def _check_count(count):
    if not _is_integer(count) or count < 1:
        raise ValueError(
            f"There must be at least one image. Received: {count!r} images."
        )


def _is_integer(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _bits(shape, key):
    """Draws random uint32 numbers.

    XLA draws the same integers as TensorFlow, whereas its random floats differ.
    """
    return tf.random.stateless_uniform(
        shape, key, None, None, dtype=tf.uint32, alg="philox"
    )


def _uniform(bits):
    """Maps random bits to float64 numbers in (0, 1), the centres of 2^32 equal bins.

    Results computed from them in float64 are the same once they are rounded to
    float32, whether a row is computed alone, in a batch, or by XLA.
    """
    return (tf.cast(bits, tf.float64) + 0.5) * 2.0**-32


def _key(seed, purpose, draw, step):
    # A different number for every combination of seed, purpose and draw.
    stream = (seed * len(Purpose) + purpose) * _DRAWS_PER_PURPOSE + draw
    return tf.stack([tf.constant(stream, tf.int64), tf.cast(step, tf.int64)])


def to_uint8(images):
    """Converts float images in [-1, 1] to uint8 in [0, 255], rounded to nearest."""
    return tf.cast(tf.round(tf.clip_by_value(127.5 * (images + 1), 0, 255)), tf.uint8)
