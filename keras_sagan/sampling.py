"""Random draws that depend on nothing but their seed (TensorFlow).

Training draws are a function of (seed, purpose, step) and of the sample's index in
the global batch: every replica draws the whole global batch and takes its rows, so
that the numbers do not depend on how many replicas there are. Generation draws are a
function of one seed a row, so that they do not depend on the rest of the batch.
"""

import enum

import tensorflow as tf


class Purpose(enum.IntEnum):
    """What a draw is for; draws of different purposes are independent."""

    DISCRIMINATOR_STEP = 0
    GENERATOR_STEP = 1
    EVALUATION = 2
    STANDING_STATISTICS = 3


_DRAWS_PER_PURPOSE = 2  # latents, labels


def batch_latents(seed, purpose, step, count, latent_dim, dtype="float32"):
    """Latents of one global batch, from N(0, I).

    Args:
        seed: int. The run's seed.
        purpose: `Purpose`.
        step: int or int64 scalar tensor.
        count: int or int32 scalar tensor. Rows of the global batch.
        latent_dim: int.
        dtype: float dtype.

    Returns: tensor `(count, latent_dim)`; row `i` is the same for every `count`.
    """
    key = _key(seed, purpose, 0, step)
    return tf.random.stateless_normal(
        (count, latent_dim), key, dtype=dtype, alg="philox"
    )


def batch_labels(seed, purpose, step, count, num_classes):
    """Labels of one global batch, uniform over the classes: int32 `(count,)`."""
    key = _key(seed, purpose, 1, step)
    return tf.random.stateless_uniform(
        (count,), key, 0, num_classes, dtype=tf.int32, alg="philox"
    )


def row_latents(seeds, latent_dim, truncation):
    """Latents of which each row depends on its own seed and truncation only.

    Args:
        seeds: int64 tensor `(n,)`.
        latent_dim: int.
        truncation: float32 tensor `(n,)`. Where positive, the row is drawn from the
            normal distribution truncated to [-t, t] (what redrawing every entry
            until it lies inside gives), by inversion; 0 for no truncation.

    Returns: float32 tensor `(n, latent_dim)`.
    """
    spec = tf.TensorSpec((latent_dim,), tf.float32)

    def normal(seed):
        return tf.random.stateless_normal(
            (latent_dim,), tf.stack([seed, tf.zeros_like(seed)]), alg="philox"
        )

    def uniform(seed):
        return tf.random.stateless_uniform(
            (latent_dim,), tf.stack([seed, tf.ones_like(seed)]), alg="philox"
        )

    untruncated = tf.map_fn(normal, seeds, fn_output_signature=spec)
    limit = truncation[:, tf.newaxis]
    truncated = _truncated_normal(
        tf.map_fn(uniform, seeds, fn_output_signature=spec), limit
    )
    return tf.where(limit > 0, truncated, untruncated)


def _truncated_normal(uniform, limit):
    limit = tf.where(limit > 0, limit, tf.ones_like(limit))
    below = 0.5 * tf.math.erfc(limit / tf.sqrt(2.0))  # probability under -limit
    quantile = below + uniform * (1.0 - 2.0 * below)
    return tf.clip_by_value(tf.math.ndtri(quantile), -limit, limit)


def _key(seed, purpose, draw, step):
    stream = (seed * len(Purpose) + purpose) * _DRAWS_PER_PURPOSE + draw
    return tf.stack([tf.constant(stream, tf.int64), tf.cast(step, tf.int64)])
