"""Ports: which numbers are one, and a socket that listens on one."""

import errno
import socket

_LARGEST = 2**16 - 1


def is_port(number, least=0):
    """Whether an object is the number of a port, `least` or above."""
    integer = isinstance(number, int) and not isinstance(number, bool)
    return integer and least <= number <= _LARGEST


def check_port(port, name="port"):
    """Returns `port`, checked.

    Args:
        port: int. 0 stands for any free one.
        name: str. What the caller's user calls it, for the message.

    Raises:
        ValueError: if there is no such port. gRPC, for one, would silently take the
            number modulo 65536.
    """
    if not is_port(port):
        raise ValueError(
            f"`{name}` must be an integer in [0, {_LARGEST}]. Received: {port!r}."
        )
    return port


def listen(host="127.0.0.1", port=0, name="port"):
    """Returns a listening socket.

    Args:
        host: str. Address.
        port: int; 0 for a free one.
        name: str. What the caller's user calls the port, for messages.

    Raises:
        OSError: if the address cannot be had; the message names it.
        ValueError: if there is no such port.
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
