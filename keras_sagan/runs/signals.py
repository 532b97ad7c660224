"""Signals that end a run in good order."""

import contextlib
import signal
import threading

import numpy as np

from keras_sagan.callbacks.step import StepCallback
from keras_sagan.distributed import strategies
from keras_sagan.runs import checkpoints

# The strongest first: where several workers hear different ones, it counts. SIGUSR1 is
# what Slurm (`--signal`) and submitit send before the time is up.
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT)
INSISTENT = (signal.SIGTERM, signal.SIGINT)  # whose second one means "at once"


class StopSignals:
    """Scope in which the first of `SIGNALS` is only remembered.

    After a SIGINT (Ctrl-C) or SIGTERM, the next one of these ends the process at once,
    as the system does by default; a terminal that closes sends SIGHUP twice. A signal
    that the process ignores (SIGINT in a background job of a shell, SIGHUP after
    `nohup`) stays ignored. Outside the main thread, which alone receives signals,
    nothing is changed.

    Attributes:
        received: int. The first signal's number, or None.
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
            for other in {*INSISTENT} & {*self._before}:
                signal.signal(other, signal.SIG_DFL)


class Stopped(BaseException):
    """A signal arrived where nothing is to be finished first.

    Attributes:
        number: int. The signal's.
    """

    def __init__(self, number):
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


@contextlib.contextmanager
def raised():
    """Scope in which signals raise `Stopped`, as Ctrl-C raises `KeyboardInterrupt`.

    What has been begun is put in order on the way out: other workers hear of it. The
    next signal ends the process at once.
    """

    def handle(number, frame):
        for other in before:
            signal.signal(other, signal.SIG_DFL)
        raise Stopped(number)

    before = {}  # filled at once below; a signal may come between
    before |= _handle_with(handle, [x for x in SIGNALS if x != signal.SIGINT])
    try:
        yield
    finally:
        _restore_handlers(before)


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
    """Gives every worker the chief's state, bit by bit, and its wish to end."""
    strategy = gan.distribute_strategy
    if strategies.is_multi_worker(strategy):
        arrays = strategies.from_chief(checkpoints.snapshot(gan), strategy)
        checkpoints.restore(gan, arrays)
        ended = np.array(gan.stop_training, np.int32)
        gan.stop_training = bool(strategies.gather(ended, strategy)[0])


def share_signal(gan, received):
    """Lets every worker end as if it had received the signal of any of them."""
    numbers = strategies.gather(
        np.array(received.received or 0, np.int32), gan.distribute_strategy
    )
    received.received = next((x for x in SIGNALS if x in numbers), None)


def _handle_with(handler, numbers):
    """Sets the handler of signals that are not ignored; the handlers before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [x for x in numbers if signal.getsignal(x) != signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in numbers}


def _restore_handlers(handlers):
    for number, handler in handlers.items():
        signal.signal(number, handler)
