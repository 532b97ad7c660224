"""Signal handling of the commands that run a server until they are told to stop."""

import os
import signal
import threading

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def end_at_signals():
    """Makes SIGTERM and SIGINT end the process immediately, e.g. while a model loads.

    Loading may take minutes during which no Python code runs that could handle a
    signal, and nothing has to be finished first. So the process leaves it to the
    system's default action. That does not exist for the first process of a container,
    which has to end itself.
    """
    _set(_end if os.getpid() == 1 else signal.SIG_DFL)


def stop_event():
    """Returns an event that SIGTERM and SIGINT set from now on.

    A second signal ends the process immediately.
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
