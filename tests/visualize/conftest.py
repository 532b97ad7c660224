"""The browser that looks at the report and the explorer."""

from tests.browser import browser, open_page, screenshot

__all__ = ["browser", "open_page", "screenshot"]  # fixtures
