"""The browser that looks at the documentation site."""

import pathlib

from tests.browser import browser, open_page, screenshot

__all__ = ["browser", "open_page", "screenshot"]  # fixtures


def pytest_addoption(parser):
    parser.addoption(
        "--site",
        metavar="FOLDER",
        type=pathlib.Path,
        help="the site that ./scripts/docs has built, to save building it again",
    )
