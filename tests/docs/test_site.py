"""The documentation site: built, linked, complete, and opened in a browser.

The tutorials are run by `scripts/docs`, which CI calls as well, not here.
"""

import html.parser
import inspect
import subprocess
import sys
import urllib.parse

import pytest
from sphinx.util.inventory import InventoryFile

import keras_sagan
from tests.helpers import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(request, tmp_path_factory):
    """The folder of the built pages; a warning of Sphinx is an error."""
    if (built := request.config.getoption("--site", None)) is not None:
        return built.resolve()
    folder = tmp_path_factory.mktemp("site")
    options = ["--fail-on-warning", "--nitpicky", "-D", "nb_execution_mode=off"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ROOT / "docs", folder],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


class Page(html.parser.HTMLParser):
    """The places of a page that links may name, and its own links."""

    def __init__(self, path):
        super().__init__()
        self.places, self.links = set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.places.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


def test_internal_links_lead_somewhere(site):
    written = set(site.rglob("*.html")) - set(site.glob("_static/*"))
    pages = {path: Page(path) for path in written}
    assert len(pages) > 100
    checked = 0
    for path, page in pages.items():
        for link in page.links:
            address = urllib.parse.urlsplit(link)
            if address.scheme:
                continue
            name = urllib.parse.unquote(address.path)
            target = (path.parent / name).resolve() if name else path
            assert target.is_file(), (path, link)
            if address.fragment and target in pages:
                place = urllib.parse.unquote(address.fragment)
                assert place in pages[target].places, (path, link)
            checked += 1
    assert checked > 10_000


def public_names():
    """What `__all__` of the package and of its parts names, with the objects."""
    for part in keras_sagan.__all__:
        module = getattr(keras_sagan, part)
        yield f"keras_sagan.{part}", module
        for name in getattr(module, "__all__", ()):
            yield f"keras_sagan.{part}.{name}", getattr(module, name)
    for name, thing in vars(keras_sagan.losses).items():  # has no `__all__`
        here = getattr(thing, "__module__", None) == "keras_sagan.losses"
        if here and not name.startswith("_"):
            yield f"keras_sagan.losses.{name}", thing


def test_every_public_name_has_its_entry(site):
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    names = dict(public_names())
    assert len(names) > 100
    for name, thing in names.items():
        kind = "module" if inspect.ismodule(thing) else "function"
        kind = "class" if inspect.isclass(thing) else kind
        kind = "data" if name == "keras_sagan.config.PRESETS" else kind
        kind = "exception" if _is_exception(thing) else kind
        assert (f"py:{kind}", name) in inventory, (kind, name)
    for method in ("compile", "fit", "generate", "save_to_preset"):
        assert ("py:method", f"keras_sagan.SAGAN.{method}") in inventory


def _is_exception(thing):
    return inspect.isclass(thing) and issubclass(thing, BaseException)


@pytest.mark.parametrize(
    "page",
    [
        "tutorials/your-own-pictures.html",
        "explanation/fidelity.html",
        "how-to/deploy.html",
    ],
)
def test_one_click_from_the_front_page(site, page):
    assert page in Page(site / "index.html").links


def test_commands_and_docstrings_are_those_of_the_package(site):
    commands = (site / "reference/commands.html").read_text()
    assert "--evaluate-every STEPS" in commands and "--channel-order" in commands
    layer = "reference/api/generated/keras_sagan.layers.SelfAttention2D.html"
    text = (site / layer).read_text()
    assert "key_ratio" in text and "Call arguments" in text
    assert 'href="https://arxiv.org/abs/1805.08318"' in text
    assert "](http" not in text and "`" not in Text(text).seen


class Text(html.parser.HTMLParser):
    """What the article of a page shows."""

    def __init__(self, page):
        super().__init__()
        self.seen = ""
        self.feed(page.partition("<article")[2].partition("</article>")[0])

    def handle_data(self, data):
        self.seen += data


# Headings and signatures that are wider than the place they have.
CUT_OFF = """[...document.querySelectorAll("article h1, article h2, dt.sig")]
    .filter(x => x.scrollWidth > x.clientWidth + 1).map(x => x.textContent)"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    ("page", "scheme"),
    [
        ("index", "light"),
        ("tutorials/self-attention", "dark"),
        ("reference/api/generated/keras_sagan.layers.SelfAttention2D", "light"),
    ],
)
def test_pages_in_a_browser(site, open_page, screenshot, page, scheme, width):
    opened = open_page((site / f"{page}.html").as_uri(), width, scheme)
    if page == "tutorials/self-attention":
        opened.wait_for_selector("mjx-container")  # formulas, without a network
    screenshot(opened, f"docs-{page.rpartition('/')[2]}-{width}")
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    assert opened.evaluate(CUT_OFF) == []
    assert opened.evaluate("document.documentElement.dataset.theme") == scheme
    log = "[PST]"  # of the theme: which mode it has chosen
    assert [text for text in opened.complaints if not text.startswith(log)] == []
    assert all(address.startswith("file:") for address in opened.requests)


def test_search_finds_a_layer(site, open_page):
    opened = open_page((site / "search.html").as_uri() + "?q=SelfAttention2D")
    opened.wait_for_selector("ul.search li a")
    found = opened.locator("ul.search li a").all_inner_texts()
    assert any("SelfAttention2D" in text for text in found)
