"""Signals that end a run in good order."""

import signal
import threading

from keras_sagan.training.callbacks import StepCallback

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
