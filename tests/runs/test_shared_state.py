"""One process; several are in `test_follower.py`."""

import signal

import pytest
import tensorflow as tf

from keras_sagan.distributed import strategies
from keras_sagan.runs import signals
from keras_sagan.runs.signals import StopSignals
from tests import helpers


class Alone:
    """What `share_signal` needs of a model."""

    distribute_strategy = tf.distribute.get_strategy()


@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM])
def test_alone_a_signal_is_ones_own(number):
    received = StopSignals()
    received.received = number
    signals.share_signal(Alone(), received)
    assert received.received == number


def test_the_strongest_signal_of_all_workers_counts(monkeypatch):
    import numpy as np

    received = StopSignals()
    for first, second, strongest in [
        (signal.SIGINT, signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR1),
        (0, signal.SIGHUP, signal.SIGHUP),
    ]:
        heard = np.array([0, first, second], np.int32)
        monkeypatch.setattr(strategies, "gather", lambda *args, heard=heard: heard)
        signals.share_signal(Alone(), received)
        assert received.received == strongest


def test_alone_the_state_stays_as_it_is():
    gan = helpers.tiny_gan(attention=False)
    before = helpers.values(gan.variables)
    signals.share_state(gan)
    helpers.assert_equal(helpers.values(gan.variables), before)
