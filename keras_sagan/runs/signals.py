"""Signals that end a run in good order."""

import signal
import threading

import numpy as np

from keras_sagan.callbacks.step import StepCallback
from keras_sagan.distributed import strategies
from keras_sagan.runs import checkpoints

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Scope in which the first SIGINT (Ctrl-C) or SIGTERM is only remembered.

    The second one ends the process at once, as the system does by default. A signal
    that the process ignores (SIGINT in a background job of a shell) stays ignored.
    Outside the main thread, which alone receives signals, nothing is changed.

    Attributes:
        received: int. The first signal's number, or None.
    """

    def __init__(self):
        self.received = None
        self._before = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exception):
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _handle(self, number, frame):
        self.received = number
        for other in self._before:
            signal.signal(other, signal.SIG_DFL)


class StopOnSignal(StepCallback):
    """Ends training after the step in which a signal arrived.

    Args:
        signals: `StopSignals`, entered.
    """

    def __init__(self, signals):
        super().__init__()
        self.signals = signals

    def on_train_batch_end(self, batch, logs=None):
        if self.signals.received is not None:
            self.model.request_stop()


def share_state(gan):
    """Gives every worker the chief's state, bit by bit."""
    strategy = gan.distribute_strategy
    if strategies.is_multi_worker(strategy):
        arrays = strategies.from_chief(checkpoints.snapshot(gan), strategy)
        checkpoints.restore(gan, arrays)


def share_signal(gan, received):
    """Lets every worker end as if it had received the signal of any of them."""
    numbers = strategies.gather(
        np.array(received.received or 0, np.int32), gan.distribute_strategy
    )
    found = set(numbers.tolist()) - {0}
    if found:
        received.received = signal.SIGTERM if signal.SIGTERM in found else found.pop()
