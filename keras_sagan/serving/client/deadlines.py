"""HTTP connections for which all waiting ends at one deadline.

urllib3's timeouts apply to a single address of a host and to a single piece of an
answer, so that it waits endlessly for a server that sends a byte every now and then.
"""

import concurrent.futures
import contextlib
import io
import socket
import threading
import time

import urllib3

_PIECE = 2**14  # bytes that are sent under one timeout: the size of a TLS record
_deadline = threading.local()


@contextlib.contextmanager
def within(seconds):
    """Limits the time of requests made inside the scope, in this thread.

    It applies to pools of `connections`, and covers looking up the name, connecting,
    TLS, sending, headers and content. Whatever is not done in time raises one of
    urllib3's errors or `TimeoutError`.
    """
    _deadline.end = time.monotonic() + seconds
    try:
        yield
    finally:
        del _deadline.end


def is_over():
    """Returns whether the time of the scope is up."""
    return time.monotonic() >= _deadline.end


def connections(url, **options):
    """Returns a urllib3 pool of connections to `url` that respect `within`."""
    pool = urllib3.connection_from_url(url, **options)
    pool.ConnectionCls = _HttpsConnection if pool.scheme == "https" else _HttpConnection
    return pool


class _Connecting:
    """Connects before the deadline, and replaces the socket by one that respects it."""

    def connect(self):
        super().connect()
        self.sock = _Socket(self.sock)

    def _new_conn(self):
        error = None
        addresses = self._addresses()
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            connection = socket.socket(family, kind, protocol)
            try:
                # Leaves time for the other addresses if this one does not answer.
                connection.settimeout(_left() / (len(addresses) - number))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.connect(address)
                connection.settimeout(_left())  # for TLS
                return connection
            except OSError as failure:
                connection.close()
                error = failure
        if isinstance(error, TimeoutError):
            message = f"Connecting to {self.host} took too long"
            raise urllib3.exceptions.ConnectTimeoutError(self, message) from error
        raise urllib3.exceptions.NewConnectionError(self, str(error)) from error

    def _addresses(self):
        """Looks the host up in a thread, because `getaddrinfo` has no timeout."""
        answer = concurrent.futures.Future()

        def look_up():
            try:
                host = self.host.strip("[]")
                answer.set_result(
                    socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
                )
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=look_up, name="look-up", daemon=True).start()
        try:
            return answer.result(_left())
        except TimeoutError as error:
            message = f"Looking up {self.host} took too long"
            raise urllib3.exceptions.ConnectTimeoutError(self, message) from error
        except OSError as error:
            raise urllib3.exceptions.NameResolutionError(
                self.host, self, error
            ) from error


class _HttpConnection(_Connecting, urllib3.connection.HTTPConnection):
    pass


class _HttpsConnection(_Connecting, urllib3.connection.HTTPSConnection):
    pass


class _Socket:
    """A plain or TLS socket whose two methods that wait respect the deadline."""

    def __init__(self, connected):
        self._connected = connected

    def __getattr__(self, name):
        return getattr(self._connected, name)

    def sendall(self, data):
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _PIECE):
            self._connected.settimeout(_left())
            self._connected.sendall(view[start : start + _PIECE])

    def makefile(self, mode):
        return io.BufferedReader(_Reader(self._connected, mode))


class _Reader(io.RawIOBase):
    """A file of what the socket receives; the socket stays open until it is closed."""

    def __init__(self, connected, mode):
        self._connected = connected
        self._file = connected.makefile(mode, buffering=0)

    def readable(self):
        return True

    def readinto(self, buffer):
        self._connected.settimeout(_left())
        return self._file.readinto(buffer)

    def close(self):
        self._file.close()
        super().close()


def _left():
    left = _deadline.end - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
