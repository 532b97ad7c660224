"""Generates images and attention maps with a trained `SAGAN`."""

import keras
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.distributed.row_map import RowMap
from keras_sagan.layers.self_attention import SelfAttention2D
from keras_sagan.sampling import to_uint8


def sampler(gan):
    """Returns a `RowMap` from seeds, truncations (and labels) to uint8 images."""
    generator = gan.ema_generator
    signature = [tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None,))]
    if generator.num_classes is not None:
        signature.append(tf.TensorSpec((None,), tf.int32))

    @tf.function(input_signature=signature, autograph=False)
    def sample(seeds, truncation, labels=None):
        return to_uint8(_images(generator, seeds, labels, truncation))

    return RowMap(sample, gan.distribute_strategy)


def run_sampler(sample, seeds, labels, truncation, batch_size):
    """Generates images in batches.

    Args:
        sample: `RowMap`, returned by `sampler`.
        seeds: int64 array `(n,)`.
        labels: int32 array `(n,)`, or None if unconditional.
        truncation: float32 array `(n,)`, 0 for none.
        batch_size: int > 0. Number of images that a replica computes at once.

    Returns: uint8 array `(n, H, W, C)`.

    Raises:
        ValueError: if `batch_size` is not an integer > 0.
    """
    sampling.check_batch_size(batch_size)
    columns = [seeds, truncation] if labels is None else [seeds, truncation, labels]
    return sample(columns, batch_size)


def attention_maps(generator, discriminator, seeds, labels):
    """Computes the map of every attention layer for given seeds and labels.

    Returns: dict from `"generator/attention_16"` (network and layer) to a float32
        array `(n, queries H*W, keys M)` whose rows sum to 1.
    """
    truncation = tf.zeros((len(seeds),), tf.float32)
    seeds = tf.constant(seeds, tf.int64)
    latents = sampling.row_latents(seeds, generator.latent_dim, truncation)
    return latent_maps(generator, discriminator, latents, labels)


def latent_maps(generator, discriminator, latents, labels):
    """Computes the map of every attention layer for given latents and labels."""
    labels = None if labels is None else tf.constant(labels, tf.int32)
    images = run(generator, latents, labels)
    return {
        **_network_maps("generator", generator, latents, labels),
        **_network_maps("discriminator", discriminator, images, labels),
    }


def resolve_rows(gan, labels, num_images, seed):
    """Returns the labels and seeds of the requested rows; see `sampling`."""
    labels, count = sampling.resolve_labels(
        labels, num_images, gan.generator.num_classes, gan.class_names
    )
    return labels, sampling.resolve_seeds(seed, count)


def _images(generator, seeds, labels, truncation):
    latents = sampling.row_latents(seeds, generator.latent_dim, truncation)
    return run(generator, latents, labels)


def run(network, inputs, labels, training=False):
    """Calls a network on latents or images, and labels (None if unconditional)."""
    if labels is None:
        return network(inputs, training=training)
    # Keras accepts neither a mix of arrays and tensors nor lists of labels.
    pair = [tf.convert_to_tensor(inputs), tf.convert_to_tensor(labels)]
    return network(pair, training=training)


def _network_maps(prefix, network, inputs, labels):
    layers = [x for x in network.layers if isinstance(x, SelfAttention2D)]
    if not layers:
        return {}
    # Computes what goes into each attention layer, and calls the layers once more on
    # it, because a network only returns its last output.
    features = keras.Model(network.inputs, [layer.input for layer in layers])
    values = run(features, inputs, labels)
    values = values if isinstance(values, (list, tuple)) else [values]
    return {
        f"{prefix}/{layer.name}": layer(
            value, training=False, return_attention_scores=True
        )[1].numpy()
        for layer, value in zip(layers, values, strict=True)
    }


def view(gan, latents, labels=None):
    """Generates images from latents, together with the map of every attention layer.

    Args:
        gan: `SAGAN`.
        latents: float array `(n, latent_dim)`.
        labels: int array `(n,)`, or `None` if unconditional.

    Returns: tuple of uint8 images `(n, height, width, channels)`, and a dict like that
        of `gan.attention_maps`.
    """
    gan.refresh_ema()
    maps = latent_maps(gan.ema_generator, gan.discriminator, latents, labels)
    return images(gan.ema_generator, latents, labels), maps


def images(generator, latents, labels=None, batch_size=64):
    """Generates images from latents and labels.

    Args:
        generator: `Generator`, e.g. `gan.ema_generator` after `gan.refresh_ema()`.
        latents: float array `(n, latent_dim)`.
        labels: int array `(n,)`, or `None` if unconditional.
        batch_size: int. Number of images computed at once.

    Returns: uint8 array `(n, height, width, channels)`.
    """
    parts = []
    for start in range(0, len(latents), batch_size):
        rows = slice(start, start + batch_size)
        parts.append(
            run(generator, latents[rows], None if labels is None else labels[rows])
        )
    return to_uint8(tf.concat(parts, axis=0)).numpy()
