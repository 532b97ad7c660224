"""Checks of training data: the first batch on the host, shapes in the graph."""

import itertools

import keras
import numpy as np
import tensorflow as tf

from keras_sagan.data.validation import check_batch

# Data of one class: so many labels say nothing yet, and so many are enough to say it.
_FEW_LABELS, _MANY_LABELS = 32, 1000


def unpack(data, network, parts):
    """Images and int32 labels `(batch,)` (None if unconditional) of a batch.

    Checks what is known while the step is traced.

    Args:
        data: what the dataset yields.
        network: `Discriminator`, for size, channels and number of classes.
        parts: int. Sub-batches that the batch is to be split into.

    Raises:
        ValueError: if labels are missing or not wanted, or not integers, if images
            have another shape or dtype than the network's, if there are sample
            weights, or if the batch size does not divide by `parts`, or is unknown
            where it must be known.
    """
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise ValueError(
            "A SAGAN's losses have no `sample_weight` or `class_weight`: draw images "
            "that shall count more more often, and see `compile(fake_label_weights=)`. "
            f"Received: weights of shape {weights.shape}."
        )
    if isinstance(images, (dict, list, tuple)):
        raise ValueError(
            "The dataset must yield `(images, labels)`, or `images` when "
            f"unconditional. Received: a batch of structure {type(images).__name__}."
        )
    _check_images(images, network, parts)
    return images, _check_labels(labels, images, network.num_classes)


def check_fit_data(x, y, validation_data, network):
    """As `check_first_batch`, of what `fit` got; held-out data may be of one class."""
    check_first_batch(x, y, network)
    if isinstance(validation_data, (list, tuple)):
        check_held_out(*(*validation_data[:2], None)[:2], network)
    else:
        check_held_out(validation_data, None, network)


def check_held_out(x, y, network, arguments=()):
    """As `check_first_batch`, for data that may be of one class.

    Args:
        x, y, network: as there.
        arguments: names of the other arguments of `evaluate`: they tell whether `fit`
            calls it, which has checked the data.
    """
    if "_use_cached_eval_dataset" not in arguments:
        check_first_batch(x, y, network, training=False)


def check_first_batch(x, y, network, training=True):
    """Check arrays whole, and of a dataset the first batch, on the host.

    For training it reads on while all labels are of one class. Generators are left to
    the checks in the graph: reading one would consume it.

    Args:
        x: what `fit` got as `x`.
        y: what `fit` got as `y`.
        network: `Discriminator`, for size, channels and number of classes.
        training: bool. Whether many labels of one class only are a mistake.

    Raises:
        ValueError: naming the argument, its value and what is allowed.
    """
    batches, position = _host_batches(x, y)
    if batches is None:
        return
    pairs = map(_to_numpy, batches)
    images, labels = next(pairs, (None, None))
    if images is None:
        raise ValueError("The dataset is empty. Received: no batch at all.")
    check_batch(
        images,
        labels,
        image_size=network.image_size,
        channels=network.channels,
        num_classes=network.num_classes,
        position=position,
    )
    if training and network.num_classes is not None:
        more = (batch_labels for _, batch_labels in pairs)
        _check_classes(itertools.chain([labels], more), network.num_classes)


def _check_images(images, network, parts):
    expected = (network.image_size, network.image_size, network.channels)
    if images.shape.rank != 4 or tuple(images.shape[1:]) != expected:
        raise ValueError(
            f"Images must have shape (batch, {', '.join(map(str, expected))}). "
            f"Received: images of shape {images.shape}."
        )
    if images.dtype != tf.uint8 and not images.dtype.is_floating:
        raise ValueError(
            "Images must be uint8 in [0, 255] or float in [-1, 1]. "
            f"Received: images of dtype {images.dtype.name}."
        )
    batch = images.shape[0]
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if batch is None and (parts > 1 or replicas > 1):
        raise ValueError(
            "With several replicas, discriminator steps or accumulation steps the "
            "batch size must be known: batch with `drop_remainder=True`, or give "
            "`fit` a `batch_size` that divides the number of images. "
            f"Received: images of shape {images.shape}."
        )
    if batch is not None and batch % parts:
        raise ValueError(
            "The batch of one replica must divide by discriminator_steps * "
            f"gradient_accumulation_steps = {parts}. Received: a batch of {batch}."
        )


def _check_labels(labels, images, num_classes):
    if num_classes is None:
        if labels is not None:
            raise ValueError(
                "The model is unconditional (num_classes=None) but the dataset yields "
                "labels. Drop them, or build the networks with `num_classes`. "
                f"Received: labels of shape {labels.shape}."
            )
        return None
    if labels is None:
        raise ValueError(
            f"The model is conditional (num_classes={num_classes}) but the dataset "
            "yields no labels. Yield `(images, labels)`, or build the networks with "
            f"num_classes=None. Received: images of shape {images.shape} alone."
        )
    if not labels.dtype.is_integer:
        raise ValueError(
            f"Labels must be integers. Received: labels of dtype {labels.dtype.name}."
        )
    return tf.cast(tf.reshape(labels, (-1,)), tf.int32)


def _host_batches(x, y):
    """Iterator over the batches of what `fit` got, and where the first one is from."""
    if isinstance(x, tf.data.Dataset):
        return iter(x), "batch 0"
    if isinstance(x, keras.utils.PyDataset):
        endless = x.num_batches is None
        indices = itertools.count() if endless else range(x.num_batches)
        return (x[i] for i in indices), "batch 0"
    if isinstance(x, np.ndarray) or tf.is_tensor(x):
        return iter([(x,) if y is None else (x, y)]), "the arrays"
    return None, None


def _to_numpy(batch):
    images, labels, _ = keras.utils.unpack_x_y_sample_weight(batch)
    if labels is not None:
        labels = np.asarray(labels)
        labels = labels[:, 0] if labels.shape[1:] == (1,) else labels
    return np.asarray(images), labels


def _check_classes(batches_of_labels, num_classes):
    """Refuse data that begins with very many labels of one class only."""
    seen, count = set(), 0
    for labels in batches_of_labels:
        seen.update(np.unique(labels).tolist())
        count += len(labels)
        if len(seen) > 1 or count >= _MANY_LABELS:
            break
    if num_classes > 1 and len(seen) == 1 and count >= _FEW_LABELS:
        raise ValueError(
            "`labels` must be of several classes: are the pictures in folders at the "
            "wrong depth, or sorted by class? Shuffle them, or build the networks "
            f"with num_classes=None. Received: {count} labels {seen.pop()} and no "
            f"other, num_classes={num_classes}."
        )
