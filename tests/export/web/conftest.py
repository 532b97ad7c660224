"""The browser, and a server of files for it."""

import contextlib

import pytest

from tests.browser import browser, open_page, screenshot
from tests.export.web.pages import serving

__all__ = ["browser", "open_page", "screenshot"]  # fixtures


@pytest.fixture
def serve():
    """Function that serves a folder until the test ends, and returns its address."""
    with contextlib.ExitStack() as stack:
        yield lambda folder: stack.enter_context(serving(folder))
