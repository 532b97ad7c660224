"""Checks of training data: the first batch on the host, shapes in the graph."""

import itertools

import keras
import numpy as np
import tensorflow as tf

# Data of one class: so many labels say nothing yet, and so many are enough to say it.
_FEW_LABELS, _MANY_LABELS = 32, 1000
# Rounding of low-precision floats may leave [-1, 1] by this much.
_TOLERANCE = 1e-2

_WHAT_IMAGES = "uint8 in [0, 255] or float in [-1, 1]"


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


def check_batch(images, labels, *, image_size, channels, num_classes, position):
    """Checks that a batch is what a model was built for.

    Args:
        images: array-like `(batch, image_size, image_size, channels)`, uint8 in
            [0, 255] or float in [-1, 1].
        labels: integer array-like `(batch,)` in [0, num_classes), or `None`.
        image_size: int. The model's.
        channels: int. The model's.
        num_classes: int, or `None` for an unconditional model.
        position: str. Which batch it is, for the message: "batch 0".

    Raises:
        ValueError: names the argument, what was received and what is allowed.
    """
    images = np.asarray(images)
    _check_host_shape(images, image_size, channels, position)
    if images.dtype != np.uint8:
        _check_host_floats(images, position)
    if num_classes is None:
        if labels is not None:
            raise ValueError(
                f"`labels` must be absent for an unconditional model in {position} "
                "(num_classes=None): yield images alone, or build the model with "
                f"`num_classes`. Received: labels of shape {np.shape(labels)}."
            )
        return
    if labels is None:
        raise ValueError(
            f"`labels` are missing in {position}: a model with num_classes="
            f"{num_classes} needs (images, labels). Received: images alone."
        )
    _check_host_labels(np.asarray(labels), len(images), num_classes, position)


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


def _check_host_shape(images, image_size, channels, position):
    wanted = (image_size, image_size, channels)
    if images.ndim == 4 and images.shape[1:] == wanted and len(images):
        return
    hint = ""
    if images.ndim == 4 and images.shape[1:] == (channels, image_size, image_size):
        hint = " Channels come last."
    elif images.shape == wanted:
        hint = " One image is no batch: use dataset.batch(...)."
    elif images.ndim == 4 and images.shape[1:3] == wanted[:2]:
        hint = " Build the model or load the data with other `channels`."
    raise ValueError(
        f"`images` must have shape (batch, {image_size}, {image_size}, {channels}) in "
        f"{position}.{hint} Received: shape {images.shape}."
    )


def _check_host_floats(images, position):
    # ml_dtypes' bfloat16 is no np.floating, and NumPy's min of float16 may overflow.
    if images.dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        raise ValueError(
            f"`images` must be {_WHAT_IMAGES} in {position}. Received: dtype "
            f"{images.dtype.name}."
        )
    images = images.astype(np.float32, copy=False)
    if not np.isfinite(images).all():
        raise ValueError(
            f"`images` must be finite in {position}. Received: "
            f"{int((~np.isfinite(images)).sum())} values that are NaN or infinite."
        )
    low, high = float(images.min()), float(images.max())
    if low < -1 - _TOLERANCE or high > 1 + _TOLERANCE:
        raise ValueError(
            f"`images` must be {_WHAT_IMAGES} in {position}. Received: float values "
            f"in [{low:g}, {high:g}]."
        )
    if low >= 0:
        raise ValueError(
            f"`images` must be {_WHAT_IMAGES} in {position}; a float batch without "
            "any negative value is almost surely in [0, 1]: use images * 2 - 1, or "
            f"uint8. Received: float values in [{low:g}, {high:g}]."
        )


def _check_host_labels(labels, batch_size, num_classes, position):
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be integers in [0, {num_classes}) in {position}. "
            f"Received: dtype {labels.dtype.name}."
        )
    if labels.shape != (batch_size,):
        hint = ""
        if labels.shape == (batch_size, num_classes):
            hint = " One-hot labels: use argmax(labels, axis=-1)."
        elif labels.shape == (batch_size, 1):
            hint = " Drop the last axis: labels[:, 0]."
        raise ValueError(
            f"`labels` must have shape ({batch_size},), one a picture, in "
            f"{position}.{hint} Received: shape {labels.shape}."
        )
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if wrong.size:
        raise ValueError(
            f"`labels` must be in [0, {num_classes}) in {position}. Received: "
            f"{wrong.size} labels outside it, e.g. {int(wrong[0])}."
        )
