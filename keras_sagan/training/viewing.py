"""Images and attention maps of given latents: what is looked at, not trained."""

import numpy as np
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.layers.conditional_batch_normalization import (
    ConditionalBatchNormalization,
)
from keras_sagan.layers.spectral_normalization import frozen_spectral_norm
from keras_sagan.models.generator import Generator
from keras_sagan.training import ema, generation


def latents(latent_dim, seeds, truncation=None):
    """The latents that `generate` draws from seeds: float32 `(n, latent_dim)`.

    Args:
        latent_dim: int.
        seeds: sequence of int.
        truncation: float > 0, or `None`.

    Raises:
        ValueError: if `truncation` is something else.
    """
    limits = generation.resolve_truncation(truncation, len(seeds))
    drawn = sampling.row_latents(
        tf.constant(seeds, tf.int64), latent_dim, tf.constant(limits)
    )
    return drawn.numpy()


def view(gan, drawn, labels=None):
    """uint8 images of latents, and the map of every attention layer.

    Args:
        gan: `SAGAN`.
        drawn: float array `(n, latent_dim)`.
        labels: int array `(n,)`, or `None` if unconditional.

    Returns: the images `(n, height, width, channels)`, and a dict as
        `gan.attention_maps` returns it.
    """
    gan.refresh_ema()
    maps = generation.latent_maps(
        gan.ema_generator, gan.discriminator, tf.constant(drawn, tf.float32), labels
    )
    return images(gan.ema_generator, drawn, labels), maps


def images(generator, drawn, labels=None, batch_size=64):
    """uint8 images `(n, height, width, channels)` of latents and classes.

    Args:
        generator: `Generator`, e.g. `gan.ema_generator` after `gan.refresh_ema()`.
        drawn: float array `(n, latent_dim)`.
        labels: int array `(n,)`, or `None` if unconditional.
        batch_size: int. Images computed at once.
    """
    parts = []
    for start in range(0, len(drawn), batch_size):
        rows = slice(start, start + batch_size)
        parts.append(
            _run(generator, drawn[rows], None if labels is None else labels[rows])
        )
    return generation.to_uint8(tf.concat(parts, axis=0)).numpy()


def mixed_generator(generator, mixtures):
    """A generator whose classes are mixtures of another's.

    All that a generator knows of classes are the tables of its batch norms, a row of
    scales and offsets a class. Rows of weighted means of them make classes between.

    Args:
        generator: `Generator` with classes.
        mixtures: float array `(n, num_classes)`; each row sums to 1.

    Returns: `Generator` with `n` classes and the other weights of `generator`.

    Raises:
        ValueError: if `mixtures` are not such an array.
    """
    mixtures = np.asarray(mixtures, np.float64)
    classes = generator.num_classes
    if mixtures.ndim != 2 or mixtures.shape[1] != classes:
        raise ValueError(
            f"`mixtures` must have shape (n, {classes}), a weight for each class. "
            f"Received shape: {mixtures.shape}."
        )
    config = generator.get_config() | {"num_classes": len(mixtures)}
    mixed = Generator.from_config(config)
    tables = {
        table.path
        for layer in generator.layers
        if isinstance(layer, ConditionalBatchNormalization)
        for table in (layer.gamma, layer.beta)
    }
    for weight, wanted in zip(generator.weights, mixed.weights, strict=True):
        value = weight.numpy()
        wanted.assign(mixtures @ value if weight.path in tables else value)
    return mixed


def with_both_statistics(gan, count):
    """Images of the averaged generator with its stored and with batch statistics.

    Args:
        gan: `SAGAN`.
        count: int. Images, of all classes in turn.

    Returns: two float arrays `(count, height, width, channels)` of the same latents.
    """
    gan.refresh_ema()
    drawn = latents(gan.generator.latent_dim, range(count))
    classes = gan.generator.num_classes
    labels = None if classes is None else np.arange(count, dtype=np.int32) % classes
    stored = _run(gan.ema_generator, drawn, labels)
    copy, _ = ema.averaged_copy(gan.ema_generator)
    copy.trainable = True  # otherwise batch norms use what is stored
    with frozen_spectral_norm():
        of_batch = _run(copy, drawn, labels, training=True)
    return stored.numpy(), of_batch.numpy()


def _run(generator, drawn, labels, training=False):
    drawn = tf.constant(drawn, tf.float32)
    inputs = drawn if labels is None else [drawn, tf.constant(labels, tf.int32)]
    return generator(inputs, training=training)
