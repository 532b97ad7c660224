"""The flag that a training step sets, and the callback that reads it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.training import faults


def test_guard_reads_the_flag_in_long_epochs():
    flag = faults.FaultFlag(3)
    guard = faults.DataGuard(flag)
    flag.record(tf.zeros((1, 2)), tf.constant([5]), tf.constant(17))
    for batch in range(1, faults.CHECK_EVERY - 1):
        guard.on_train_batch_end(batch)
    with pytest.raises(ValueError, match="step 17 "):
        guard.on_train_batch_end(faults.CHECK_EVERY - 1)


def test_flag_keeps_the_first_fault_and_returns_labels_in_range():
    flag = faults.FaultFlag(3)
    labels = flag.record(tf.zeros((2, 2)), tf.constant([5, -1]), tf.constant(4))
    flag.record(tf.constant([[9.0]]), tf.constant([0]), tf.constant(5))
    np.testing.assert_array_equal(labels, [2, 0])
    with pytest.raises(ValueError, match=r"step 4 .*label"):
        flag.raise_if_set()
    flag.reset()
    flag.raise_if_set()


def test_guard_reads_the_flag_after_the_first_step():
    flag = faults.FaultFlag()
    flag.record(tf.zeros((1, 2)), None, tf.constant(0))
    with pytest.raises(ValueError, match=r"step 0 .*almost surely in \[0, 1\]"):
        faults.DataGuard(flag).on_train_batch_end(0)


def test_flag_counts_labels_until_it_is_reset():
    flag = faults.FaultFlag(3)
    for labels in ([0, 2, 2], [2, 9, 0]):
        flag.record(tf.zeros((3, 2)), tf.constant(labels), tf.constant(0))
    np.testing.assert_array_equal(flag.label_counts(), [2, 0, 4])
    flag.reset()
    np.testing.assert_array_equal(flag.label_counts(), [0, 0, 0])


def test_guard_joins_the_callbacks():
    flag, other = faults.FaultFlag(), keras.callbacks.Callback()
    assert [type(x).__name__ for x in faults.with_guard(None, flag)] == ["DataGuard"]
    assert faults.with_guard(other, flag)[0] is other
    assert faults.with_guard([other], flag)[0] is other
    given = keras.callbacks.CallbackList([other])
    assert faults.with_guard(given, flag) is given
    assert isinstance(given.callbacks[-1], faults.DataGuard)
