"""Checks training data: the first batch on the host, and shapes in the graph."""

import itertools

import keras
import numpy as np
import tensorflow as tf

from keras_sagan.training import batch_checks
from keras_sagan.training.batch_checks import check_batch, check_labels


def unpack(data, network, parts):
    """Unpacks a batch, and checks what is known about it while the step is traced.

    Args:
        data: a batch as the dataset yields it.
        network: `Discriminator`, for image size, channels and number of classes.
        parts: int. Number of sub-batches into which the batch will be split.

    Returns: tuple of the images and the labels, int32 `(batch,)` or None if
        unconditional.

    Raises:
        ValueError: if labels are missing, not allowed or not integers; if images have
            the wrong shape or dtype; if there are sample weights; or if the batch size
            is not a multiple of `parts`, or unknown although it must be known.
    """
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise ValueError(
            "The losses of a SAGAN have no `sample_weight` or `class_weight`. Draw "
            "some images more often instead, and see `compile(fake_label_weights=)`. "
            f"Received: weights of shape {weights.shape}."
        )
    _check_structure(images)
    images = tf.convert_to_tensor(images)  # an array if the step runs eagerly
    labels = None if labels is None else tf.convert_to_tensor(labels)
    images = _check_images(images, network, parts)
    return images, _check_labels(labels, images, network.num_classes)


def check_fit_data(arguments, network):
    """Checks the data of `fit` before the first step; see `check_first_batch`.

    Args:
        arguments: dict of the arguments of `fit` by their names.
        network: `Discriminator`.
    """
    _check_end("x", "steps_per_epoch", arguments)
    check_first_batch(arguments.get("x"), arguments.get("y"), network)
    _check_end("validation_data", "validation_steps", arguments)
    held_out = arguments.get("validation_data")
    pair = held_out if isinstance(held_out, (list, tuple)) else (held_out,)
    check_first_batch(*(*pair[:2], None)[:2], network, training=False)


def check_held_out(arguments, network):
    """Checks the data of `evaluate`, which may all be of one class.

    If `fit` has called `evaluate`, the data have been checked already.

    Args:
        arguments: dict of the arguments of `evaluate` by their names.
        network: `Discriminator`.
    """
    if "_use_cached_eval_dataset" not in arguments:
        _check_end("x", "steps", arguments)
        x, y = arguments.get("x"), arguments.get("y")
        check_first_batch(x, y, network, training=False)


def check_one_batch(x, y, network, first=False):
    """Checks the batch of `train_on_batch` or `test_on_batch`.

    Args:
        x, y, network: as for `check_first_batch`.
        first: bool. Whether to refuse float images without any negative value, which
            later batches may well have.
    """
    images, labels = _to_numpy((x,) if y is None else (x, y))
    _check_batch(images, labels, network, "the batch", first)


def check_latents(arguments, network):
    """Checks the data of `predict`: that labels are in range, and that data end.

    Args:
        arguments: dict of the arguments of `predict` by their names.
        network: `Generator`.
    """
    _check_end("x", "steps", arguments)
    x = arguments.get("x")
    if network.num_classes is not None and isinstance(x, (list, tuple)) and len(x) == 2:
        latents, labels = map(np.asarray, x)
        check_labels(labels, len(latents), network.num_classes, "the arrays")


def check_first_batch(x, y, network, training=True):
    """Checks all of the given arrays, or the first batch of a dataset, on the host.

    For training, it reads more batches as long as all labels are of one class.
    Generators, and datasets made from them, are only checked in the graph, because a
    generator may yield every batch only once.

    Args:
        x, y: the arguments of `fit`.
        network: `Discriminator`, for image size, channels and number of classes.
        training: bool. Whether many labels that are all of one class are an error.

    Raises:
        ValueError: if the data are not suitable. The message names the argument, its
            value and what is allowed.
    """
    batches, position = _host_batches(x, y)
    if batches is None:
        return
    pairs = map(_to_numpy, batches)
    images, labels = next(pairs, (None, None))
    if images is None:
        raise ValueError("The dataset is empty. Received: no batch at all.")
    _check_batch(images, labels, network, position)
    if training and network.num_classes is not None:
        more = (batch_labels for _, batch_labels in pairs)
        complete = isinstance(x, np.ndarray) or tf.is_tensor(x)
        _check_classes(itertools.chain([labels], more), network.num_classes, complete)


def _check_batch(images, labels, network, position, first=True):
    check_batch(
        images,
        labels,
        image_size=network.image_size,
        channels=network.channels,
        num_classes=network.num_classes,
        position=position,
        first=first,
    )


def _check_end(name, steps, arguments):
    """Raises a `ValueError` for endless data without a number of steps."""
    data = arguments.get(name)
    endless = _is_endless(data) or (
        isinstance(data, tf.data.Dataset)
        and int(data.cardinality()) == tf.data.INFINITE_CARDINALITY
    )
    if endless and arguments.get(steps) is None:
        raise ValueError(
            f"`{name}` has no end, so `{steps}` must say after how many batches to "
            f"stop. Received: {name} of type {type(data).__name__} that repeats "
            f"forever, {steps}=None."
        )


def is_stream(x):
    """Returns whether `x` cannot be shuffled, so that Keras would warn about it."""
    return isinstance(x, tf.data.Dataset) or hasattr(x, "__next__") or _is_endless(x)


def _is_endless(x):
    return isinstance(x, keras.utils.PyDataset) and x.num_batches is None


def _check_structure(images):
    """Raises a `ValueError` for other structures, such as the dicts of `tfds.load`."""
    if isinstance(images, dict):
        hint = "images" if len(images) == 1 else "images, labels"
        names = ", ".join(repr(name) for name in images)
        raise ValueError(
            f"The dataset must yield `({hint})`, not a dict: `dataset.map(lambda x: "
            "(x['image'], x['label']))` with the names that it has. "
            f"Received: a batch of structure dict with {names}."
        )
    if isinstance(images, (list, tuple)):
        raise ValueError(
            "The dataset must yield `(images, labels)`, or `images` when "
            f"unconditional. Received: a batch of structure {type(images).__name__}."
        )


def _check_images(images, network, parts):
    """Checks the images; returns them with static height, width and channels."""
    expected = (network.image_size, network.image_size, network.channels)
    if not images.shape.is_compatible_with((None, *expected)):
        raise ValueError(
            f"Images must have shape (batch, {', '.join(map(str, expected))}). "
            f"Received: images of shape {images.shape}."
        )
    # The shape of decoded images may be unknown until they are computed.
    images = tf.ensure_shape(images, (None, *expected))
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
            "The batch size of one replica must be divisible by discriminator_steps * "
            f"gradient_accumulation_steps = {parts}. Received: a batch of {batch}."
        )
    return images


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
    rows = images.shape[:1]
    # `keras.datasets` has labels of shape (n, 1), which are accepted as well.
    if not any(labels.shape.is_compatible_with([*rows, *x]) for x in [(), (1,)]):
        one_hot = labels.shape.is_compatible_with([*rows, num_classes])
        hint = " One-hot labels: use tf.argmax(labels, axis=-1)." if one_hot else ""
        raise ValueError(
            f"Labels must have shape (batch,), one per picture.{hint} Received: labels "
            f"of shape {labels.shape}."
        )
    if not labels.dtype.is_integer:
        raise ValueError(
            f"Labels must be integers. Received: labels of dtype {labels.dtype.name}."
        )
    return tf.cast(tf.reshape(labels, (-1,)), tf.int32)


def _host_batches(x, y):
    """Returns an iterator over batches, and the name of the first one for messages.

    Both are None for data that can be read only once.
    """
    if isinstance(x, tf.data.Dataset):
        return (None, None) if _is_from_generator(x) else (iter(x), "batch 0")
    if isinstance(x, keras.utils.PyDataset):
        indices = itertools.count() if _is_endless(x) else range(x.num_batches)
        return (x[i] for i in indices), "batch 0"
    if isinstance(x, np.ndarray) or tf.is_tensor(x):
        return iter([(x,) if y is None else (x, y)]), "the arrays"
    return None, None


def _is_from_generator(dataset):
    """Returns whether a dataset reads from a Python generator."""
    graphs = (x.function.graph.as_graph_def() for x in dataset._functions())
    return any(b"GeneratorDataset" in x.SerializeToString() for x in graphs) or any(
        map(_is_from_generator, dataset._inputs())
    )


def _to_numpy(batch):
    images, labels, _ = keras.utils.unpack_x_y_sample_weight(batch)
    _check_structure(images)
    if labels is not None:
        labels = np.asarray(labels)
        labels = labels[:, 0] if labels.shape[1:] == (1,) else labels
    return np.asarray(images), labels


def _check_classes(batches_of_labels, num_classes, complete):
    """Raises a `ValueError` if very many labels at the start are of one class.

    If the labels are `complete`, that is, those of all data, it also warns of classes
    without images.
    """
    counts = np.zeros(num_classes, np.int64)
    for labels in batches_of_labels:
        counts += batch_checks.of_labels(labels, num_classes)
        if np.count_nonzero(counts) > 1 or sum(counts) >= batch_checks.MANY_LABELS:
            break
    batch_checks.check_several(counts, batch_checks.FEW_LABELS)
    if complete:
        batch_checks.warn_of_missing(counts)
