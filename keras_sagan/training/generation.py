"""Images and attention maps of a trained `SAGAN`."""

import keras
import numpy as np
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.distributed.row_map import RowMap
from keras_sagan.layers.self_attention import SelfAttention2D
from keras_sagan.sampling import to_uint8


def sampler(gan):
    """`RowMap` from seeds, truncation (and labels) to uint8 images of a `SAGAN`."""
    generator = gan.ema_generator
    signature = [tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None,))]
    if generator.num_classes is not None:
        signature.append(tf.TensorSpec((None,), tf.int32))

    @tf.function(input_signature=signature)
    def sample(seeds, truncation, labels=None):
        return to_uint8(_images(generator, seeds, labels, truncation))

    return RowMap(sample, gan.distribute_strategy)


def run_sampler(sample, seeds, labels, truncation, batch_size):
    """Run `sample` over rows in batches: uint8 array `(n, H, W, C)`.

    Raises:
        ValueError: if `batch_size` is no integer > 0.
    """
    if not _is_integer(batch_size) or batch_size < 1:
        raise ValueError(
            f"`batch_size` must be an integer > 0. Received: batch_size={batch_size!r}."
        )
    columns = [seeds, truncation] if labels is None else [seeds, truncation, labels]
    return sample(columns, batch_size)


def attention_maps(generator, discriminator, seeds, labels):
    """The map of every attention layer for the images of `seeds` and `labels`.

    Returns: dict from `"generator/attention_16"` (network and layer) to a float32
        array `(n, queries H*W, keys M)` whose rows sum to 1.
    """
    truncation = tf.zeros((len(seeds),), tf.float32)
    seeds = tf.constant(seeds, tf.int64)
    latents = sampling.row_latents(seeds, generator.latent_dim, truncation)
    return latent_maps(generator, discriminator, latents, labels)


def latent_maps(generator, discriminator, latents, labels):
    """As `attention_maps`, for the images of latents."""
    labels = None if labels is None else tf.constant(labels, tf.int32)
    images = run(generator, latents, labels)
    return {
        **_network_maps("generator", generator, latents, labels),
        **_network_maps("discriminator", discriminator, images, labels),
    }


def resolve_rows(gan, labels, num_images, seed):
    """Labels and seeds of the rows that a `SAGAN` is asked for; see the next two."""
    labels, count = resolve_labels(
        labels, num_images, gan.generator.num_classes, gan.class_names
    )
    return labels, resolve_seeds(seed, count)


def resolve_labels(labels, num_images, num_classes, class_names):
    """int32 labels `(n,)` (None if unconditional) and `n` for `generate`.

    Args:
        labels: None, or class indices or names.
        num_images: None or int > 0.
        num_classes: int or None.
        class_names: tuple of str or None.

    Raises:
        ValueError: if labels are missing, unknown or out of range, or do not go
            together with `num_images`.
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
            "The model is conditional: pass `labels`, one an image, and no "
            f"`num_images`. Received: labels={labels!r}, num_images={num_images!r}."
        )
    indices = [_class_index(x, num_classes, class_names) for x in _rows(labels)]
    _check_count(len(indices))
    return np.array(indices, np.int32), len(indices)


def resolve_seeds(seed, count):
    """int64 seeds `(count,)`: `seed + i`, or one given for each row."""
    seeds = np.asarray(seed)
    if seeds.dtype.kind not in "iu" or seeds.shape not in ((), (count,)):
        raise ValueError(
            f"`seed` must be an integer, or {count} integers, one an image. "
            f"Received: seed={seed!r}."
        )
    seeds = seeds.astype(np.int64)
    return seeds + np.arange(count) if seeds.ndim == 0 else seeds


def resolve_truncation(truncation, count):
    """float32 truncations `(count,)`, 0 where there is none."""
    if truncation is None:
        return np.zeros((count,), np.float32)
    number = _is_integer(truncation) or isinstance(truncation, (float, np.floating))
    if not (number and np.isfinite(truncation) and truncation > 0):
        raise ValueError(
            "`truncation` must be a finite number > 0, or None. "
            f"Received: truncation={truncation!r}."
        )
    return np.full((count,), truncation, np.float32)


def _images(generator, seeds, labels, truncation):
    latents = sampling.row_latents(seeds, generator.latent_dim, truncation)
    return run(generator, latents, labels)


def run(network, inputs, labels, training=False):
    """Output of a network for latents or images, and labels (None if unconditional)."""
    inputs = inputs if labels is None else [inputs, labels]
    return network(inputs, training=training)


def _network_maps(prefix, network, inputs, labels):
    layers = [x for x in network.layers if isinstance(x, SelfAttention2D)]
    if not layers:
        return {}
    features = keras.Model(network.inputs, [layer.input for layer in layers])
    values = features([inputs] if labels is None else [inputs, labels], training=False)
    values = values if isinstance(values, (list, tuple)) else [values]
    return {
        f"{prefix}/{layer.name}": layer(
            value, training=False, return_attention_scores=True
        )[1].numpy()
        for layer, value in zip(layers, values, strict=True)
    }


def _rows(labels):
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


def latents(latent_dim, seeds, truncation=None):
    """The latents that `generate` draws from seeds: float32 `(n, latent_dim)`.

    Args:
        latent_dim: int.
        seeds: sequence of int.
        truncation: float > 0, or `None`.

    Raises:
        ValueError: if `truncation` is something else.
    """
    limits = resolve_truncation(truncation, len(seeds))
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
    maps = latent_maps(gan.ema_generator, gan.discriminator, drawn, labels)
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
            run(generator, drawn[rows], None if labels is None else labels[rows])
        )
    return to_uint8(tf.concat(parts, axis=0)).numpy()
