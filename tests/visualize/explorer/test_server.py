import base64
import dataclasses
import io
import json
import time
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("aiohttp")

from keras_sagan.cli.commands.explore import open_explored
from keras_sagan.listening.access import Access
from keras_sagan.listening.ports import listen
from keras_sagan.visualize.attention import color, overlay
from keras_sagan.visualize.explorer.server import Explored, ExplorerServer
from keras_sagan.visualize.positions import spread_over_pixels
from tests.helpers import ROOT

SIDES = (4, 8, 16, 32)
CHOICE = {"seed": 1, "label": 0, "x": 20, "y": 9}


def crafted(sides=SIDES):
    """A model of black images whose query `i` looks at position `i` alone."""

    def view(latents, labels):
        images = np.zeros((1, 32, 32, 3), np.uint8)
        return images, {f"generator/{s}": np.eye(s * s)[None] for s in sides}

    def latents(seeds, truncation):
        return np.ones((len(seeds), 4), np.float32)

    layers = [f"generator/{s}" for s in sides]
    return Explored("crafted", 32, ["cat", "dog"], layers, latents, view)


@pytest.fixture(scope="module")
def glyphs():
    return open_explored(ROOT / "saved_models" / "glyphs")


@pytest.fixture
def serve():
    servers = []

    def start(model, access=None):
        servers.append(ExplorerServer(model, listen(), access))
        return f"http://127.0.0.1:{servers[-1].port}/"

    yield start
    for server in servers:
        server.stop()


def ask(address, path, headers=None, **query):
    url = f"{address}{path}?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def pixels(url):
    content = base64.b64decode(url.partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


# === The interface ===


def test_the_clicked_pixel_is_the_right_query_at_every_resolution(serve):
    address = serve(crafted())
    for x, y in [(0, 0), (31, 31), (20, 9), (9, 20)]:
        status, answer = ask(address, "api/attention", **{**CHOICE, "x": x, "y": y})
        assert status == 200
        for layer, side in zip(answer["layers"], SIDES, strict=True):
            block = 32 // side
            assert layer["query"] == (y // block) * side + x // block
            lit = pixels(layer["overlay"]).max(axis=2) > 0
            cell = np.s_[y // block * block :, x // block * block :]
            assert lit.sum() == block * block and lit[cell][:block, :block].all()


def test_overlays_equal_the_models_maps(serve, glyphs):
    address = serve(glyphs)
    query = {"seed": 5, "label": 3, "truncation": 0.8}
    _, shown = ask(address, "api/view", **query)
    images, maps = glyphs.view(glyphs.latents([5], 0.8), [3])
    image, maps = images[0], {name: x[0] for name, x in maps.items()}
    np.testing.assert_array_equal(pixels(shown["image"]), image)
    _, answer = ask(address, "api/attention", **query, x=20, y=9)
    [layer] = answer["layers"]
    row = maps["generator/attention_16"][9 // 2 * 16 + 20 // 2]
    expected = overlay(image, spread_over_pixels(row, 32), color(0))
    np.testing.assert_array_equal(pixels(layer["overlay"]), expected)
    assert layer["most"] == pytest.approx(row.max(), abs=1e-6)
    x, y = layer["at"]
    assert row[y // 4 * 8 + x // 4] == row.max()


def test_between_two_seeds(serve, glyphs):
    address = serve(glyphs)
    query = {"label": 3, "seed": 5, "other_seed": 9}
    ends = [ask(address, "api/view", **query, share=x)[1]["image"] for x in (0, 0.5, 1)]
    assert ends[2] == ask(address, "api/view", seed=9, label=3)[1]["image"]
    assert len(set(ends)) == 3


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"x": 32}, "from 0,0 to 31,31. Received: 32,9"),
        ({"label": 2}, "`label` must be in [0, 2). Received: 2"),
        ({"label": "cat"}, "`label` must be an integer. Received: 'cat'"),
        ({"seed": 2**60}, "`seed` must be at most 2^53"),
        ({"share": 2}, "`share` must be in [0, 1]"),
        ({"truncation": -1}, "`truncation` must be above 0"),
        ({"truncation": "nan"}, "`truncation` must be a finite number"),
        ({"truncation": "x"}, "`truncation` must be a finite number"),
    ],
)
def test_wrong_requests(serve, query, message):
    status, answer = ask(serve(crafted()), "api/attention", **{**CHOICE, **query})
    assert status == 400
    assert message in answer["error"]


def test_other_paths(serve):
    address = serve(crafted())
    assert ask(address, "etc/passwd") == (404, {"error": "There is no /etc/passwd."})


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},  # a name of somebody else's that leads here
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},  # <img>
    ],
)
def test_pages_of_other_sites_are_not_answered(serve, headers):
    address = serve(crafted(), Access("127.0.0.1", ["demo.example"]))
    for path in ("", "api/model", "api/view", "etc/passwd"):
        status, answer = ask(address, path, headers, seed=1, label=0)
        assert status == 403
        assert "--allowed-host" in answer["error"]
    allowed = {"Host": "demo.example:80", "Origin": "https://demo.example"}
    assert ask(address, "api/model", allowed)[0] == 200


def test_a_model_without_attention(serve):
    status, answer = ask(serve(crafted(sides=())), "api/attention", **CHOICE)
    assert (status, answer) == (400, {"error": "The model has no attention layers."})


# === The page, in a browser ===


def settled(page):
    """Waits until the page shows the answers to its newest questions."""
    page.wait_for_selector("#layers[aria-busy=false]", state="attached")


def looking_at_itself(model):
    """The model, with maps in which every position looks at its own cell."""

    def view(latents, labels):
        images, maps = model.view(latents, labels)
        rows, columns = np.divmod(np.arange(256), 16)
        own = np.eye(64)[rows // 2 * 8 + columns // 2][None]
        return images, dict.fromkeys(maps, own)

    return dataclasses.replace(model, view=view)


def test_the_page(serve, glyphs, open_page, screenshot):
    address = serve(looking_at_itself(glyphs))
    page = open_page(address)
    settled(page)
    image, seen = page.locator("#image"), page.locator("#layers img")
    first = image.get_attribute("src")

    page.locator("#truncation").focus()  # move a slider
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    settled(page)
    assert page.inner_text("#truncation-text") == "1.0"
    assert image.get_attribute("src") != first
    before = image.get_attribute("src"), seen.get_attribute("src")

    box = page.locator("#frame").bounding_box()  # click on the image
    scale = box["width"] / 32
    page.mouse.click(box["x"] + 20.5 * scale, box["y"] + 9.5 * scale)
    settled(page)
    assert page.inner_text("#status") == "Point 20,9"
    assert image.get_attribute("src") == before[0]
    assert seen.get_attribute("src") != before[1]
    assert int(seen.get_attribute("data-query")) == 9 // 2 * 16 + 20 // 2

    page.locator("#frame").focus()  # the same with keys
    page.keyboard.press("ArrowDown")
    settled(page)
    assert page.inner_text("#status") == "Point 20,10"
    assert int(seen.get_attribute("data-query")) == 10 // 2 * 16 + 20 // 2

    page.select_option("#label", "4")
    settled(page)
    assert image.get_attribute("src") != before[0]
    screenshot(page, "explorer")
    assert page.complaints == []
    own = (address, "data:")
    assert [x for x in page.requests if not x.startswith(own)] == []


def test_everything_is_reached_with_the_keyboard(serve, open_page):
    page = open_page(serve(crafted()))
    settled(page)
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    form = ["label", "seed", "next", "other", "share", "truncation"]
    assert reached == [*form, "frame", "download"]


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "light"), (390, "dark"), (1100, "dark")]
)
def test_it_fits_a_phone_and_the_dark(
    serve, glyphs, open_page, screenshot, width, scheme
):
    page = open_page(serve(glyphs), width, scheme)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    screenshot(page, f"explorer-{width}-{scheme}")
    assert page.complaints == []


def test_the_page_says_what_is_wrong(serve, open_page):
    page = open_page(serve(crafted()))
    settled(page)
    page.fill("#seed", "99999999999999999")
    page.wait_for_selector("#status.error")
    assert "`seed` must be at most 2^53" in page.inner_text("#status")
    plain = open_page(serve(crafted(sides=())))
    settled(plain)
    assert plain.inner_text("#status") == "This model has no attention layers."


def test_a_slow_model_is_not_asked_for_what_nobody_waits_for(serve, open_page):
    """One request at a time; of what changed meanwhile only the newest counts."""
    asked, model = [], crafted(sides=(4,))

    def slow(latent, label):
        asked.append(label)
        time.sleep(0.3)
        return model.view(latent, label)

    page = open_page(serve(dataclasses.replace(model, view=slow)))
    settled(page)
    before = len(asked)
    page.evaluate(
        """for (let i = 1; i <= 40; i++) {
            document.getElementById("seed").value = i;
            document.getElementById("seed").dispatchEvent(new Event("input"));
        }"""
    )
    settled(page)
    assert len(asked) - before <= 4  # two of the first, two of the last
    assert page.get_attribute("#image", "alt").endswith("seed 40")
