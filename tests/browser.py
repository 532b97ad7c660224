"""A real browser: Debian's Chromium, without a window, driven by Playwright."""

import contextlib
import shutil

import pytest

from tests.helpers import ROOT

SCREENSHOTS = ROOT / "build" / "screenshots"  # kept after the tests, to look at


@contextlib.contextmanager
def chromium():
    """Chromium; tests that need it are skipped where it is not installed."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        # Its sandbox needs rights, and its shared memory room, that containers lack.
        settings = ["--no-sandbox", "--disable-dev-shm-usage"]
        started = driver.chromium.launch(executable_path=found, args=settings)
        yield started
        started.close()


@pytest.fixture(scope="module")
def browser():
    """Chromium, for all tests of a module."""
    with chromium() as started:
        yield started


@pytest.fixture
def open_page(browser):
    """Function that opens an address: a page that notes requests and complaints."""
    contexts = []

    def open_(address, width=1100, scheme="light", offline=False):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            offline=offline,
        )
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(address)
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def screenshot():
    """Function that keeps a picture of a page under `build/screenshots`."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def take(page, name):
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return take
