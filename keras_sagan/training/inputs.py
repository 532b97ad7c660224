"""Checks of training data: the first batch on the host, the others in the graph."""

import itertools

import keras
import numpy as np
import tensorflow as tf

from keras_sagan.data.validation import check_batch

CHECK_EVERY = 50  # training steps between two readings of the in-graph flag

# Data of one class: so many labels say nothing yet, and so many are enough to say it.
_FEW_LABELS, _MANY_LABELS = 32, 1000

_FAULTS = {
    1: "a label outside [0, num_classes)",
    2: "an image value outside [-1, 1] (float images) or not finite",
}
_LOSSES, _WEIGHTS = 3, 4  # kinds of fault; 4 + i: the i-th weight
_TOLERANCE = 1e-3  # of float images around [-1, 1]


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
            weights, or if the batch size does
            not divide by `parts`, or is unknown where it must be known.
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


def check_held_out(data, network):
    """As `check_first_batch`, for data that may be of one class, or None.

    Args:
        data: what `fit` got as `validation_data`, or the pair that `evaluate` got.
        network: as there.
    """
    x, y = (*data[:2], None)[:2] if isinstance(data, (list, tuple)) else (data, None)
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


class FaultFlag:
    """Remembers the first training step in which something was wrong, without asserts.

    XLA drops `tf.debugging` asserts, so the step records the fault in a variable that
    is read between steps. Every replica has its own copy. Faults are those of the
    data, a loss that is not finite, and weights that are not (one kind each).
    """

    def __init__(self):
        self._first = tf.Variable(
            tf.zeros((2,), tf.int64),  # step + 1, kind of fault
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )

    def record(self, images, labels, num_classes, step):
        """Record what is wrong with a batch; returns labels that are safe to use."""
        fault = tf.zeros((), tf.int64)
        if images.dtype.is_floating:
            limit = tf.cast(1.0 + _TOLERANCE, images.dtype)
            fine = tf.reduce_all(tf.abs(images) <= limit)  # False for NaN as well
            fault = tf.where(fine, fault, tf.constant(2, tf.int64))
        if labels is not None:
            fine = tf.reduce_all((labels >= 0) & (labels < num_classes))
            fault = tf.where(fine, fault, tf.constant(1, tf.int64))
            labels = tf.clip_by_value(labels, 0, num_classes - 1)
        self._record(step, fault)
        return labels

    def record_weights(self, weights, step):
        """Record the first of some weights that is not finite before a step."""
        finite = [tf.math.is_finite(tf.reduce_sum(weight)) for weight in weights]
        index = tf.argmin(tf.cast(tf.stack(finite), tf.int32))  # of the first False
        fine = tf.reduce_all(finite)
        self._record(step, tf.where(fine, tf.zeros((), tf.int64), _WEIGHTS + index))

    def record_losses(self, losses, step):
        """Record that a loss of a step is not finite."""
        fine = tf.reduce_all(tf.math.is_finite(tf.stack(losses)))
        self._record(step, tf.where(fine, tf.zeros((), tf.int64), _LOSSES))

    def reset(self):
        """Forget the fault of an earlier `fit`."""
        self._first.assign(tf.zeros((2,), tf.int64))

    def raise_if_set(self):
        """Raise a `ValueError` with the step if data were wrong."""
        for step, fault in self._faults():
            if fault in _FAULTS:
                raise ValueError(
                    f"The batch of training step {step} (counted from 0) holds "
                    f"{_FAULTS[fault]}. Training has stopped."
                )

    def first_non_finite(self, weights):
        """The step (counted from 0) and the name of what was not finite, or None.

        Args:
            weights: as for `record_weights`.
        """
        for step, fault in self._faults():
            if fault == _LOSSES:
                return step, "a loss (while every weight was finite)"
            if fault >= _WEIGHTS:
                return step, f"the weight {weights[fault - _WEIGHTS].path!r}"
        return None

    def _record(self, step, fault):
        first = self._first.read_value()
        found = tf.stack([tf.cast(step, tf.int64) + 1, fault])
        unset = tf.logical_and(first[0] == 0, fault > 0)
        self._first.assign(tf.where(unset, found, first))

    def _faults(self):
        """The step and the kind of the first fault of each replica that has one."""
        strategy = tf.distribute.get_strategy()
        values = [v.numpy() for v in strategy.experimental_local_results(self._first)]
        return [(int(step) - 1, int(fault)) for step, fault in values if step]


class DataGuard(keras.callbacks.Callback):
    """Stops `fit` when the flag is set: every `CHECK_EVERY` steps and epoch ends."""

    def __init__(self, flag):
        super().__init__()
        self._flag = flag

    def on_train_batch_end(self, batch, logs=None):
        if batch % CHECK_EVERY == CHECK_EVERY - 1:
            self._flag.raise_if_set()

    def on_epoch_end(self, epoch, logs=None):
        self._flag.raise_if_set()


def with_guard(callbacks, flag):
    """`callbacks` of `fit` and a `DataGuard`."""
    guard = DataGuard(flag)
    if isinstance(callbacks, keras.callbacks.CallbackList):
        others = [x for x in callbacks.callbacks if not isinstance(x, DataGuard)]
        callbacks.callbacks = [*others, guard]
        return callbacks
    if isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks]
    return [*(callbacks or ()), guard]


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
