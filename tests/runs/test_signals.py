import os
import signal
import threading

import pytest

from keras_sagan.runs import signals
from tests import helpers


@pytest.fixture
def handlers():
    """Every signal is handled by Python's `default_int_handler`, as SIGINT is."""
    before = {n: signal.signal(n, signal.default_int_handler) for n in signals.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def present(numbers=signals.SIGNALS):
    return {signal.getsignal(number) for number in numbers}


@pytest.mark.parametrize("number", signals.INSISTENT)
def test_the_first_signal_is_remembered(number, handlers):
    with signals.StopSignals() as received:
        assert received.received is None
        os.kill(os.getpid(), number)
        assert received.received == number
        # The next one is the system's.
        assert present(signals.INSISTENT) == {signal.SIG_DFL}
    assert present() == {signal.default_int_handler}


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_a_warning_may_come_twice_and_an_order_after_it(number, handlers):
    with signals.StopSignals() as received:
        for each in (number, number, signal.SIGTERM):
            os.kill(os.getpid(), each)
        assert received.received == number
        assert present(signals.INSISTENT) == {signal.SIG_DFL}
        os.kill(os.getpid(), number)
    assert present() == {signal.default_int_handler}


@pytest.mark.parametrize("number", set(signals.SIGNALS) - {signal.SIGINT})
def test_a_signal_where_nothing_is_trained_is_raised(number, handlers):
    with (
        pytest.raises(signals.Stopped, match=f"ended by {number.name}") as caught,
        signals.raised(),
    ):
        os.kill(os.getpid(), number)
    assert caught.value.number == number
    assert present() == {signal.default_int_handler}


def test_training_may_begin_within(handlers):
    with signals.raised():
        with signals.StopSignals() as received:
            os.kill(os.getpid(), signal.SIGTERM)
        assert received.received == signal.SIGTERM
        with pytest.raises(signals.Stopped):
            os.kill(os.getpid(), signal.SIGTERM)


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
