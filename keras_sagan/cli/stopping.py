"""Signals of the commands that serve until they are told to stop."""

import os
import signal
import threading

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def end_at_signals():
    """From now on SIGTERM and SIGINT end the process, e.g. while a model is loaded.

    Nothing has to be finished then, and what loads may take minutes, in which no
    Python runs that could look for a signal: the system ends the process. It does not
    do so for the first process of a container, which ends itself.
    """
    _set(_end if os.getpid() == 1 else signal.SIG_DFL)


def stop_event():
    """Returns an event that SIGTERM and SIGINT set from now on.

    A second signal ends the process.
    """
    stop = threading.Event()

    def note(number, frame):
        del number, frame
        end_at_signals()
        stop.set()

    _set(note)
    return stop


def _set(handler):
    for number in _SIGNALS:
        signal.signal(number, handler)


def _end(number, frame):
    del frame
    os._exit(128 + number)
