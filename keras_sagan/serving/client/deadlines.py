"""HTTP connections all of whose waiting ends at one deadline.

urllib3's timeouts are for a single address of a name and a single piece of an answer: a
server that sends a byte now and then is waited for without end.
"""

import concurrent.futures
import contextlib
import io
import socket
import threading
import time

import urllib3

_PIECE = 2**14  # bytes, a record of TLS: what one sending waits for
_deadline = threading.local()


@contextlib.contextmanager
def within(seconds):
    """Scope whose requests of this thread, on pools of `connections`, take that long.

    Looking up the name, connecting, TLS, sending, headers and content count. What is
    not done by then raises one of urllib3's errors or `TimeoutError`.
    """
    _deadline.end = time.monotonic() + seconds
    try:
        yield
    finally:
        del _deadline.end


def is_over():
    """Whether the time of the scope is up."""
    return time.monotonic() >= _deadline.end


def connections(url, **options):
    """Returns urllib3's pool of connections to `url`; they keep to `within`."""
    pool = urllib3.connection_from_url(url, **options)
    pool.ConnectionCls = _HttpsConnection if pool.scheme == "https" else _HttpConnection
    return pool


class _Connecting:
    """Connects within the deadline, and hands out a socket that keeps to it."""

    def connect(self):
        super().connect()
        self.sock = _Socket(self.sock)

    def _new_conn(self):
        error = None
        addresses = self._addresses()
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            connection = socket.socket(family, kind, protocol)
            try:
                # An address that does not answer leaves time for the others.
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
        """Looks the name up in a thread: it cannot be told when to give up."""
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
    """A socket, plain or of TLS, with the two methods that HTTP waits in."""

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
    """What arrives, as a file; it keeps the socket open until it is closed."""

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
