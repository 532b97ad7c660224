"""Addresses on this machine that nobody uses."""

import contextlib
import socket


def free_addresses(count):
    """`count` different `"127.0.0.1:port"`."""
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(count)
        ]
        return [f"127.0.0.1:{server.getsockname()[1]}" for server in servers]
