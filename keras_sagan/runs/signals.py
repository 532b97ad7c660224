"""Handles signals such that a run can end in an orderly way.

With several workers, all of them end if one of them receives a signal.
"""

import contextlib
import signal
import threading

import numpy as np

from keras_sagan.callbacks.step import StepCallback
from keras_sagan.distributed import strategies
from keras_sagan.runs import checkpoints

# The strongest first: it counts if workers receive different signals. SIGUSR1 is what
# Slurm (`--signal`) and submitit send before the time is up.
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT)
INSISTENT = (signal.SIGTERM, signal.SIGINT)  # a second one of these ends the process


class StopSignals:
    """Records the first of `SIGNALS` that arrives in the scope, and does nothing else.

    After a SIGINT (Ctrl-C) or SIGTERM, the next one of these two ends the process
    immediately, as is the system's default. SIGHUP is excepted, because a terminal that
    closes sends it twice. A signal that the process ignores (SIGINT in a background job
    of a shell, SIGHUP after `nohup`) is still ignored. Outside the main thread, which
    is the only one to receive signals, nothing is changed.

    Attributes:
        received: int, or None. Number of the first signal.
    """

    def __init__(self):
        self.received = None
        self._before = {}

    def __enter__(self):
        self._before = _handle_with(self._handle, SIGNALS)
        return self

    def __exit__(self, *exception):
        _restore_handlers(self._before)

    def _handle(self, number, frame):
        self.received = self.received or number
        if number in INSISTENT:
            # Not those that were ignored, which `_before` does not have.
            for other in {*INSISTENT} & {*self._before}:
                signal.signal(other, signal.SIG_DFL)


class Stopped(BaseException):
    """Raised for a signal that arrives when there is nothing to finish first.

    Attributes:
        number: int. Number of the signal.
    """

    def __init__(self, number):
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


@contextlib.contextmanager
def raised():
    """Makes signals raise `Stopped`, just as Ctrl-C raises `KeyboardInterrupt`.

    On the way out, `finally` blocks do their work, and other workers are told. The next
    signal ends the process immediately.
    """

    def handle(number, frame):
        for other in before:
            signal.signal(other, signal.SIG_DFL)
        raise Stopped(number)

    before = {}  # bound before `handle` can run, which may be in the next line
    before |= _handle_with(handle, [x for x in SIGNALS if x != signal.SIGINT])
    try:
        yield
    finally:
        _restore_handlers(before)


class StopOnSignal(StepCallback):
    """Ends training after the step in which a signal arrives.

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
    """Copies the chief's state to every worker, bit for bit.

    That includes whether training is to end before it begins.
    """
    strategy = gan.distribute_strategy
    if strategies.is_multi_worker(strategy):
        arrays = strategies.from_chief(checkpoints.snapshot(gan), strategy)
        checkpoints.restore(gan, arrays)
        ended = np.array(gan.stop_training, np.int32)
        gan.stop_training = bool(strategies.gather(ended, strategy)[0])


def share_signal(gan, received):
    """Makes every worker end as if it had received the signal of any of them."""
    numbers = strategies.gather(
        np.array(received.received or 0, np.int32), gan.distribute_strategy
    )
    received.received = next((x for x in SIGNALS if x in numbers), None)


def _handle_with(handler, numbers):
    """Sets the handler of signals unless they are ignored.

    Returns: dict from the number of a signal to its previous handler.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [x for x in numbers if signal.getsignal(x) != signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in numbers}


def _restore_handlers(handlers):
    for number, handler in handlers.items():
        signal.signal(number, handler)
