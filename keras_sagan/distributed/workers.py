"""Connections by which the workers of a run agree on values and show signs of life.

TensorFlow's own connections carry tensors, and say little about a worker that is gone
or was started with other settings. The connections here exist in addition, from every
worker to the chief; they are opened before TensorFlow's and last until the run ends.
Standard library only.
"""

import contextlib
import json
import queue
import socket
import threading
import time

from keras_sagan.files import json_files

BEAT_SECONDS = 5.0  # between two signs of life
SILENCE_SECONDS = 30.0  # after which a worker counts as lost

_SHOWN_DIFFERENCES = 5


class WorkersError(RuntimeError):
    """Raised on all workers if they cannot work together."""


class WorkerLost(WorkersError):
    """Raised if a worker is gone or has stopped, so that the others cannot go on."""


class Workers:
    """The connections of this worker, as opened by `rendezvous.connect`.

    Args:
        cluster: `Cluster`.
        connections: dict from a worker's index to the socket: all other workers on the
            chief, and the chief on every other worker.

    Attributes:
        lost: str, or None. Which worker was lost, and why.
    """

    def __init__(self, cluster, connections):
        self.cluster = cluster
        self.lost = None
        self._on_loss = None
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._links = {
            index: _Link(connection, index) for index, connection in connections.items()
        }
        for target in (self._beat, *(self._reader(x) for x in self._links.values())):
            threading.Thread(target=target, daemon=True).start()

    def agree(self, subject, value):
        """Waits for all workers, and checks that they pass the same value.

        Args:
            subject: str. What the value is, for messages, e.g. `"configuration"`.
            value: any value that JSON can represent.

        Raises:
            WorkersError: on every worker, if one differs; the message says which one
                and in what.
            WorkerLost: if a worker is gone.
        """
        value = json.loads(json.dumps(value))  # as the others' arrive, e.g. no tuples
        if self.cluster.is_chief:
            error = None
            for link in self._links.values():
                theirs = self._next(link).get("value")
                error = error or disagreement(subject, value, link.index, theirs)
            for link in self._links.values():
                link.send({"verdict": error})
        else:
            (link,) = self._links.values()
            link.send({"subject": subject, "value": value})
            error = self._next(link).get("verdict")
        if error:
            raise WorkersError(error)

    @contextlib.contextmanager
    def watched(self, on_loss):
        """Calls `on_loss(message)` in another thread if the scope loses a worker."""
        with self._lock:
            self._on_loss, lost = on_loss, self.lost
        if lost:
            on_loss(lost)
        try:
            yield
        finally:
            with self._lock:
                self._on_loss = None

    def raise_if_lost(self, wait=0.0):
        """Raises `WorkerLost` if a worker is lost, or is within `wait` seconds."""
        deadline = time.monotonic() + wait
        while self.lost is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.lost is not None:
            raise WorkerLost(self.lost)

    @property
    def closed(self):
        """bool. Whether this worker has said goodbye."""
        return self._closing.is_set()

    def close(self, reason=None):
        """Says goodbye to the others; if a reason (str) is given, they stop as well."""
        self._closing.set()
        for link in self._links.values():
            link.send({"bye": reason})
            link.close()

    def _next(self, link):
        """Returns the next message of a worker that is part of an agreement."""
        while True:
            self.raise_if_lost()
            with contextlib.suppress(queue.Empty):
                return link.messages.get(timeout=0.2)
            if link.left and link.messages.empty():
                raise WorkerLost(f"{self._name(link)} has left the run.")

    def _reader(self, link):
        def read():
            for message in link.read():
                if "beat" in message:
                    continue
                if "lost" in message:
                    self._lose(message["lost"])
                elif message.get("bye", "") is None:
                    link.left = True  # without an error
                elif "bye" in message:
                    self._lose(f"{self._name(link)} stopped: {message['bye']}")
                else:
                    link.messages.put(message)
            if not link.left:
                self._lose(f"{self._name(link)} is gone: its connection was closed.")

        return read

    def _beat(self):
        while not self._closing.wait(BEAT_SECONDS) and self.lost is None:
            for link in self._links.values():
                link.send({"beat": True})
                if not link.left and time.monotonic() - link.heard > SILENCE_SECONDS:
                    self._lose(
                        f"{self._name(link)} has given no sign of life for "
                        f"{SILENCE_SECONDS:.0f} seconds."
                    )

    def _lose(self, message):
        """Remembers the first loss, and tells the other workers and `on_loss`."""
        with self._lock:
            if self._closing.is_set() or self.lost is not None:
                return
            self.lost, on_loss = message, self._on_loss
        for link in self._links.values():
            link.send({"lost": message})
        if on_loss is not None:
            on_loss(message)

    def _name(self, link):
        return self.cluster.name_of(link.index).capitalize()


def differences(first, second):
    """Returns where two JSON values differ, as a list of `(name, first, second)`.

    The names of nested values are joined by dots; a plain value has the name `""`.
    """
    if isinstance(first, dict) and isinstance(second, dict):
        return [
            (f"{key}.{name}" if name else key, a, b)
            for key in sorted({*first, *second})
            for name, a, b in differences(first.get(key), second.get(key))
        ]
    return [] if first == second else [("", first, second)]


def disagreement(subject, ours, index, theirs):
    """Returns a sentence on how a worker's value differs from the chief's, or None."""
    rows = differences(ours, theirs)
    if not rows:
        return None
    text = "; ".join(
        f"{name or subject}: {a!r} on worker 0, {b!r} on worker {index}"
        for name, a, b in rows[:_SHOWN_DIFFERENCES]
    )
    more = len(rows) - _SHOWN_DIFFERENCES
    rest = f"; and {more} more" if more > 0 else ""
    return f"The {subject} must be the same on every worker. Received: {text}{rest}."


def line(message):
    """Returns a message as it is sent: one line of JSON, in bytes."""
    return json.dumps(message).encode() + b"\n"


class _Link:
    """A connection to another worker, over which messages are lines of JSON."""

    def __init__(self, connection, index):
        connection.settimeout(None)
        self.index = index
        self.heard = time.monotonic()
        self.left = False
        self.messages = queue.Queue()
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, message):
        # Errors are left to the reader, which notices the end of the connection.
        with self._lock, contextlib.suppress(OSError):
            self._connection.sendall(line(message))

    def read(self):
        """Yields messages until the connection ends."""
        with (
            contextlib.suppress(OSError, ValueError),
            self._connection,
            self._connection.makefile("rb") as lines,
        ):
            for text in lines:
                self.heard = time.monotonic()
                yield json_files.parse(text, "a message")

    def close(self):
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
