import time

import pytest

from keras_sagan import callbacks
from tests.callbacks.attaching import attach


def test_step_is_the_generators(gan):
    assert attach(callbacks.StepCallback(), gan, step=7).step == 7


@pytest.mark.parametrize(("step", "stops"), [(4, False), (5, True), (6, True)])
def test_limits_end_after_the_steps(gan, step, stops):
    limits = attach(callbacks.Limits(steps=5), gan, step)
    limits.on_train_batch_begin(0)
    limits.on_train_batch_end(0)
    assert gan.stop_training == stops


@pytest.mark.parametrize(
    ("seconds", "reserve", "stops"), [(60, 0, False), (60, 61, True), (-1, 0, True)]
)
def test_limits_keep_the_reserve_before_the_deadline(gan, seconds, reserve, stops):
    deadline = time.monotonic() + seconds
    limits = attach(callbacks.Limits(100, deadline, reserve=lambda: reserve), gan)
    limits.on_train_batch_begin(0)
    limits.on_train_batch_end(0)
    assert gan.stop_training == stops
