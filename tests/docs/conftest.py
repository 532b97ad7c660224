"""The browser that looks at the documentation site."""

from tests.browser import browser, open_page, screenshot

__all__ = ["browser", "open_page", "screenshot"]  # fixtures
