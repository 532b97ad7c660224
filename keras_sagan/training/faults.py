"""What is wrong in a training step, noted in the graph and read between steps."""

import keras
import tensorflow as tf

CHECK_EVERY = 50  # training steps between two readings of the in-graph flag

_FAULTS = {
    1: "a label outside [0, num_classes)",
    2: "an image value outside [-1, 1] (float images) or not finite",
}
_LOSSES, _WEIGHTS = 3, 4  # kinds of fault; 4 + i: the i-th weight
_TOLERANCE = 1e-3  # of float images around [-1, 1]


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
