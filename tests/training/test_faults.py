"""The flag that a training step sets, and the callback that reads it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.training import faults


def test_guard_reads_the_flag_in_long_epochs():
    flag = faults.FaultFlag()
    guard = faults.DataGuard(flag)
    flag.record(tf.zeros((1, 2)), tf.constant([5]), 3, tf.constant(17))
    for batch in range(faults.CHECK_EVERY - 1):
        guard.on_train_batch_end(batch)
    with pytest.raises(ValueError, match="step 17 "):
        guard.on_train_batch_end(faults.CHECK_EVERY - 1)


def test_flag_keeps_the_first_fault_and_returns_labels_in_range():
    flag = faults.FaultFlag()
    labels = flag.record(tf.zeros((2, 2)), tf.constant([5, -1]), 3, tf.constant(4))
    flag.record(tf.constant([[9.0]]), tf.constant([0]), 3, tf.constant(5))
    np.testing.assert_array_equal(labels, [2, 0])
    with pytest.raises(ValueError, match=r"step 4 .*label"):
        flag.raise_if_set()
    flag.reset()
    flag.raise_if_set()


def test_guard_joins_the_callbacks():
    flag, other = faults.FaultFlag(), keras.callbacks.Callback()
    assert [type(x).__name__ for x in faults.with_guard(None, flag)] == ["DataGuard"]
    assert faults.with_guard(other, flag)[0] is other
    assert faults.with_guard([other], flag)[0] is other
    given = keras.callbacks.CallbackList([other])
    assert faults.with_guard(given, flag) is given
    assert isinstance(given.callbacks[-1], faults.DataGuard)
