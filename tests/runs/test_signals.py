import os
import signal
import threading

import pytest

from keras_sagan.runs import signals
from tests import helpers


@pytest.mark.parametrize("number", signals.SIGNALS)
def test_the_first_signal_is_remembered(number):
    before = [signal.signal(n, signal.default_int_handler) for n in signals.SIGNALS]
    try:
        with signals.StopSignals() as received:
            assert received.received is None
            os.kill(os.getpid(), number)
            assert received.received == number
            # The next one is the system's.
            assert [signal.getsignal(n) for n in signals.SIGNALS] == [
                signal.SIG_DFL
            ] * 2
        now = [signal.getsignal(n) for n in signals.SIGNALS]
        assert now == [signal.default_int_handler] * 2
    finally:
        for n, handler in zip(signals.SIGNALS, before, strict=True):
            signal.signal(n, handler)


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with signals.StopSignals() as received:
            os.kill(os.getpid(), signal.SIGINT)
        assert received.received is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_change_nothing():
    found = []

    def work():
        with signals.StopSignals():
            found.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]


def test_training_ends_after_the_step():
    gan = helpers.tiny_gan(attention=False)
    gan.compile()
    gan.stop_training = False
    received = signals.StopSignals()
    stop = signals.StopOnSignal(received)
    stop.set_model(gan)
    stop.on_train_batch_end(0)
    assert not gan.stop_training
    received.received = signal.SIGTERM
    stop.on_train_batch_end(1)
    assert gan.stop_training
