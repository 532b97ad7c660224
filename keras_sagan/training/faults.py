"""Records faults inside training steps, and reports them between steps.

XLA drops `tf.debugging` asserts. So a step writes the first fault, such as a label out
of range or a loss that is not finite, to a variable, which is read every now and then.
"""

import keras
import tensorflow as tf

from keras_sagan.training import batch_checks

CHECK_EVERY = 50  # training steps between two readings of the variable

_FAULTS = {
    1: "a label outside [0, num_classes)",
    2: "an image value outside [-1, 1] (float images) or not finite",
    3: "float images without any negative value, almost surely in [0, 1] (use images "
    "* 2 - 1, or uint8)",
}
_LOSSES, _WEIGHTS = 4, 5  # kinds of fault; 5 + i: the i-th weight
_TOLERANCE = 1e-3  # of float images around [-1, 1]


class FaultFlag:
    """Remembers the first training step in which something was wrong.

    Faults are invalid data, a loss that is not finite, and weights that are not finite.
    Every replica has its own copy. Besides, the labels of each class are counted.

    Args:
        num_classes: int, or None if unconditional.

    Attributes:
        is_fresh: bool. Whether no batch of `train_on_batch` has been checked yet.
    """

    def __init__(self, num_classes=None):
        self._num_classes = num_classes
        self.is_fresh = True
        self._first = _replica_variable(2)  # step + 1, kind of fault
        self._batches = _replica_variable(1)
        self._counts = _replica_variable(num_classes or 0)

    def record(self, images, labels, step):
        """Records faults of a batch, and returns labels that are clipped to the range.

        Args:
            images: uint8 or float tensor `(n, H, W, C)`.
            labels: int32 tensor `(n,)`, or None if unconditional.
            step: int scalar tensor. Generator steps before this one.
        """
        # Of several faults in a batch, the last one that is checked is recorded.
        fault = tf.zeros((), tf.int64)
        if images.dtype.is_floating:
            begins = self._batches.read_value()[0] == 0
            bright = tf.reduce_min(images) >= tf.zeros((), images.dtype)
            fault = tf.where(begins & bright, tf.constant(3, tf.int64), fault)
            limit = tf.cast(1.0 + _TOLERANCE, images.dtype)
            fine = tf.reduce_all(tf.abs(images) <= limit)  # False for NaN as well
            fault = tf.where(fine, fault, tf.constant(2, tf.int64))
        if labels is not None:
            classes = self._num_classes
            fine = tf.reduce_all((labels >= 0) & (labels < classes))
            fault = tf.where(fine, fault, tf.constant(1, tf.int64))
            labels = tf.clip_by_value(labels, 0, classes - 1)
            self._counts.assign_add(
                tf.reduce_sum(tf.one_hot(labels, classes, dtype=tf.int64), axis=0)
            )
        self._batches.assign_add([1])
        self._record(step, fault)
        return labels

    def record_weights(self, weights, step):
        """Records the first of some weights that is not finite before a step.

        Args:
            weights: list of variables.
            step: int scalar tensor. Generator steps before this one.
        """
        # A sum is not finite if any number is not, and is cheaper than a test of each.
        finite = [tf.math.is_finite(tf.reduce_sum(weight)) for weight in weights]
        index = tf.argmin(tf.cast(tf.stack(finite), tf.int32))  # of the first False
        fine = tf.reduce_all(finite)
        self._record(step, tf.where(fine, tf.zeros((), tf.int64), _WEIGHTS + index))

    def record_losses(self, losses, step):
        """Records whether one of a step's losses (list of scalars) is not finite."""
        fine = tf.reduce_all(tf.math.is_finite(tf.stack(losses)))
        self._record(step, tf.where(fine, tf.zeros((), tf.int64), _LOSSES))

    def reset(self):
        """Forgets the fault and the label counts of an earlier `fit`."""
        for variable in (self._first, self._batches, self._counts):
            variable.assign(tf.zeros_like(variable.read_value()))

    def label_counts(self):
        """Returns the number of labels of each class since `reset` in this process."""
        return sum(x.numpy() for x in _local(self._counts))

    def raise_if_set(self):
        """Raises a `ValueError` that names the step if data were invalid."""
        for step, fault in self._faults():
            if fault in _FAULTS:
                raise ValueError(
                    f"The batch of training step {step} (counted from 0) holds "
                    f"{_FAULTS[fault]}. Training has stopped."
                )

    def first_non_finite(self, weights):
        """Returns what was the first not to be finite.

        Args:
            weights: as for `record_weights`.

        Returns: tuple of the step (counted from 0) and a description (str), or None.
        """
        for step, fault in self._faults():
            if fault == _LOSSES:
                return step, "a loss (while every weight was finite)"
            if fault >= _WEIGHTS:
                return step, f"the weight {weights[fault - _WEIGHTS].path!r}"
        return None

    def _record(self, step, fault):
        first = self._first.read_value()
        current = tf.stack([tf.cast(step, tf.int64) + 1, fault])
        unset = tf.logical_and(first[0] == 0, fault > 0)
        self._first.assign(tf.where(unset, current, first))

    def _faults(self):
        """Returns step and kind of the first fault of every replica that has one."""
        values = [x.numpy() for x in _local(self._first)]
        return [(int(step) - 1, int(fault)) for step, fault in values if step]


def _replica_variable(size):
    """Creates an int64 variable `(size,)` of zeros, with a copy for every replica."""
    return tf.Variable(
        tf.zeros((size,), tf.int64),
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.SUM,
    )


def _local(variable):
    return tf.distribute.get_strategy().experimental_local_results(variable)


class DataGuard(keras.callbacks.Callback):
    """Stops `fit` if a fault was recorded, and warns of classes without images.

    It checks after the first step, every `CHECK_EVERY` steps and at the end of epochs.

    Args:
        flag: `FaultFlag`.
    """

    def __init__(self, flag):
        super().__init__()
        self._flag = flag
        self._warned = False

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0 or batch % CHECK_EVERY == CHECK_EVERY - 1:
            self._flag.raise_if_set()

    def on_epoch_end(self, epoch, logs=None):
        self._flag.raise_if_set()
        counts = self._flag.label_counts()
        batch_checks.check_several(counts)
        self._warned = self._warned or batch_checks.warn_when_due(counts)


def with_guard(callbacks, flag):
    """Returns the argument `callbacks` of `fit` with a `DataGuard` added."""
    guard = DataGuard(flag)
    if isinstance(callbacks, keras.callbacks.CallbackList):
        others = [x for x in callbacks.callbacks if not isinstance(x, DataGuard)]
        callbacks.callbacks = [*others, guard]
        return callbacks
    if isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks]
    return [*(callbacks or ()), guard]
