"""Limits the number of requests that the development server handles at once."""

import contextlib
import threading

from keras_sagan.serving.errors import Code, ServingError


class Admission:
    """Accepts a limited number of requests, of which only some compute at a time.

    Args:
        max_concurrent: int. Number of requests accepted at once, over all protocols.
            Any further one is refused immediately (`UNAVAILABLE`, as TensorFlow Serving
            does when its queue is full), so that the client can try again or elsewhere.
        max_running: int. Number of requests that compute at the same time; the others
            wait for their turn.
    """

    def __init__(self, max_concurrent, max_running):
        self.max_concurrent = max_concurrent
        self._running = threading.Semaphore(max_running)
        self._changed = threading.Condition()
        self._count = 0
        self._open = True

    @contextlib.contextmanager
    def admitted(self):
        """Counts a request as accepted for the duration of the scope.

        Raises:
            ServingError: `UNAVAILABLE` if there are too many, or after `close`.
        """
        with self._changed:
            if not self._open:
                raise _unavailable("The server is shutting down.")
            if self._count >= self.max_concurrent:
                raise _unavailable(
                    f"The server is dealing with {self._count} requests, as many as it "
                    "accepts at once."
                )
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def running(self, timeout):
        """Waits up to `timeout` seconds until an accepted request may compute.

        Raises:
            ServingError: `DEADLINE_EXCEEDED` if its turn does not come in time.
        """
        timeout = min(max(0.0, timeout), threading.TIMEOUT_MAX)
        if not self._running.acquire(timeout=timeout):
            message = "The request's time was up before its turn came."
            raise ServingError(Code.DEADLINE_EXCEEDED, message)
        try:
            yield
        finally:
            self._running.release()

    @property
    def is_open(self):
        """bool. Whether requests are accepted."""
        return self._open

    def close(self):
        """Refuses requests from now on; those already accepted are finished."""
        with self._changed:
            self._open = False

    def wait_until_idle(self, timeout):
        """Waits up to `timeout` seconds; returns whether no request is left."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._count, timeout)


def _unavailable(message):
    return ServingError(Code.UNAVAILABLE, message, retry_after=1.0)
