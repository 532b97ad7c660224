"""Checks port numbers, and opens sockets that listen on them."""

import errno
import socket

_LARGEST = 2**16 - 1


def is_port(number, least=0):
    """Returns whether an object is a port number that is at least `least`."""
    integer = isinstance(number, int) and not isinstance(number, bool)
    return integer and least <= number <= _LARGEST


def check_port(port, name="port"):
    """Returns `port` if it is a port number.

    gRPC, for example, would silently take a larger number modulo 65536.

    Args:
        port: int. 0 stands for any free port.
        name: str. How the error message refers to it.

    Raises:
        ValueError: if it is not a port number.
    """
    if not is_port(port):
        raise ValueError(
            f"`{name}` must be an integer in [0, {_LARGEST}]. Received: {port!r}."
        )
    return port


def listen(host="127.0.0.1", port=0, name="port"):
    """Returns a socket that listens on an address.

    Args:
        host: str. IP address or host name.
        port: int. 0 for any free port.
        name: str. How error messages refer to the port.

    Raises:
        OSError: if the address is in use or not available; the message names it.
        ValueError: if `port` is not a port number.
    """
    check_port(port, name)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        reason = "cannot be had"
        if error.errno == errno.EADDRINUSE:
            option = f"--{name.replace('_', '-')}"
            reason = (
                f"is in use: end what uses it, or give another {option} (0: a free one)"
            )
        raise OSError(f"Port {port} of {host} {reason} ({error}).") from error
