"""The browser, and a server of files for it."""

import contextlib
import functools
import http.server
import threading

import pytest

from tests.browser import browser, open_page, screenshot

__all__ = ["browser", "open_page", "screenshot"]  # fixtures


class Silent(http.server.SimpleHTTPRequestHandler):
    """The server that `python -m http.server` starts, without its log."""

    def log_message(self, *_):
        """Prints nothing."""


@contextlib.contextmanager
def serving(folder):
    """Scope in which a folder is served; the address of it."""
    handler = functools.partial(Silent, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def serve():
    """Function that serves a folder until the test ends, and returns its address."""
    with contextlib.ExitStack() as stack:
        yield lambda folder: stack.enter_context(serving(folder))
