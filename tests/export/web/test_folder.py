"""The page to share: in Chromium, from the server of files that Python has."""

import gzip
import hashlib
import importlib.resources
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_sagan import sampling
from keras_sagan.export.loading import ExportedModel
from keras_sagan.export.runtimes import verify_draws
from keras_sagan.export.web.folder import export_web, web_runner
from keras_sagan.visualize import attention, interpolation, positions
from tests.export.gans import exportable_gan
from tests.export.web.pages import (
    CHOICE,
    VIEW,
    generated,
    pixels,
    serving,
    settled,
)
from tests.helpers import ROOT

RUNTIME = importlib.resources.files("keras_sagan.export.web") / "onnxruntime"
MAPS = """async ([address, choices]) => {
    const { Model } = await import(address + "model.js");
    const model = await Model.load(() => {});
    const maps = [];
    for (const { label, ...chosen } of choices) {
        const shown = await model.view({ label: Number(label), ...chosen });
        maps.push(Array.from(shown.maps.attention_16.data));
    }
    return maps;
}"""


@pytest.fixture(scope="module")
def folder(conditional_gan, tmp_path_factory):
    """The page of a random network, in which every weight shows."""
    folder = tmp_path_factory.mktemp("web") / "tiny"
    names = conditional_gan.class_names
    export_web(conditional_gan.ema_generator, folder, class_names=names)
    return folder


@pytest.fixture(scope="module")
def glyphs(tmp_path_factory):
    """The page of the shipped model."""
    folder = tmp_path_factory.mktemp("web") / "site"
    model = ExportedModel(ROOT / "saved_models" / "glyphs" / "1")
    export_web(model, folder, intended_use="Tests.")
    return folder


@pytest.fixture(scope="module")
def page(folder, browser):
    """The page of the random network, opened once for the tests of numbers."""
    with serving(folder) as address, browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        settled(page)
        yield page


def opened(open_page, address, *arguments):
    page = open_page(address, *arguments)
    settled(page)
    return page


def few_levels(images, expected):
    """As `generate`, but for one grey level in one of 10,000 values."""
    levels = np.abs(np.asarray(images, int) - expected)
    return levels.max() <= 1 and (levels > 0).mean() <= 1e-4


# === The same numbers as in Python ===


@pytest.mark.parametrize("truncation", [0, 0.7])
def test_the_same_seed_gives_the_same_picture(conditional_gan, page, truncation):
    rows = [(seed, label) for seed in range(20) for label in range(3)]
    seeds, labels = np.array(rows).T
    images = generated(page, labels, seeds, truncation)
    expected = conditional_gan.generate(
        labels=labels, seed=seeds, truncation=truncation or None
    )
    assert few_levels(images, expected)


def test_large_and_negative_seeds(conditional_gan, page):
    seeds = [2**53, 2**40 + 3, -1, -(2**53)]
    urls = page.evaluate(VIEW, [CHOICE | {"seed": str(x)} for x in seeds])
    expected = conditional_gan.generate(labels=[0] * 4, seed=seeds)
    assert few_levels([pixels(url) for url in urls], expected)


def test_between_two_seeds(conditional_gan, page):
    shares = [0, 0.25, 0.5, 1]
    choices = [CHOICE | {"share": str(x), "other_seed": "9"} for x in shares]
    images = [pixels(url) for url in page.evaluate(VIEW, choices)]
    latents = interpolation.spherical(*sampling.latents(8, [0, 9]), shares)
    labels = np.zeros(len(shares), np.int32)
    expected = conditional_gan.predict([latents, labels], verbose=0)
    assert few_levels(images, sampling.to_uint8(expected).numpy())


def test_attention_maps(conditional_gan, page):
    choices = [
        {"seeds": [seed, 0], "share": 0, "truncation": 0, "label": seed % 3}
        for seed in range(6)
    ]
    maps = page.workers[0].evaluate(MAPS, [page.url, choices])
    expected = conditional_gan.attention_maps(labels=[0, 1, 2] * 2, seed=0)
    expected = expected["generator/attention_16"]
    assert np.ptp(expected, axis=1).max() > 0.01  # queries look at different things
    np.testing.assert_allclose(np.reshape(maps, expected.shape), expected, atol=1e-4)


def test_overlays(conditional_gan, page):
    image = conditional_gan.generate(labels=[2], seed=5)[0]
    maps = conditional_gan.attention_maps(labels=[2], seed=5)
    view = attention.View(image, {"generator/x": maps["generator/attention_16"][0]})
    for x, y in [(0, 0), (31, 31), (20, 9), (9, 20)]:
        question = CHOICE | {"seed": "5", "label": "2", "x": x, "y": y}
        [layer] = page.evaluate("x => ask('api/attention', x)", question)["layers"]
        weights = view.weights("generator/x", (x, y))
        spread = positions.spread_over_pixels(weights, 32)
        expected = attention.overlay(image, spread, attention.color(0))
        assert np.abs(pixels(layer["overlay"]) - expected.astype(int)).max() <= 1
        assert layer["query"] == y // 2 * 16 + x // 2
        assert (layer["queries"], layer["keys"]) == (16, 8)
        assert layer["most"] == pytest.approx(weights.max(), abs=1e-4)
        right, down = layer["at"]
        at = weights[down // 4 * 8 + right // 4]
        assert at == pytest.approx(weights.max(), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("classes", "channels"), [(None, 4), (2, 1)])
def test_other_models(tmp_path, serve, open_page, classes, channels):
    gan = exportable_gan(
        classes, channels=channels, class_names=None, attention=channels == 1
    )
    export_web(gan.ema_generator, tmp_path / "x")
    assert verify_draws(gan, web_runner(tmp_path / "x")) <= 1e-4
    page = opened(open_page, serve(tmp_path / "x"))
    assert page.is_visible("#class-row") == (classes is not None)
    urls = page.evaluate(VIEW, [CHOICE | {"seed": str(x)} for x in range(4)])
    rows = {"num_images": 4} if classes is None else {"labels": [0] * 4}
    expected = gan.generate(**rows, seed=0)
    assert few_levels([pixels(url, channels) for url in urls], expected)
    said = "Point 16,16" if channels == 1 else "This model has no attention layers."
    assert page.inner_text("#status") == said
    assert page.complaints == []


# === The page ===


def test_a_visit(glyphs, serve, open_page, screenshot):
    address = serve(glyphs)
    page = opened(open_page, address)
    assert page.title() == "glyphs: explorer"
    image, seen = page.locator("#image"), page.locator("#layers img")
    loaded = list(page.requests)
    page.context.set_offline(True)  # everything is there

    before = image.get_attribute("src"), seen.get_attribute("src")
    page.select_option("#label", "4")
    page.click("#next")
    settled(page)
    assert image.get_attribute("src") != before[0]
    box = page.locator("#frame").bounding_box()
    scale = box["width"] / 32
    page.mouse.click(box["x"] + 20.5 * scale, box["y"] + 9.5 * scale)
    settled(page)
    assert page.inner_text("#status") == "Point 20,9"
    assert int(seen.get_attribute("data-query")) == 9 // 2 * 16 + 20 // 2
    page.locator("#frame").focus()
    page.keyboard.press("ArrowDown")
    settled(page)
    assert page.inner_text("#status") == "Point 20,10"
    screenshot(page, "web-1100")

    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "glyphs-class-4-seed-1.png"
    with Image.open(download.value.path()) as picture:
        drawn = np.asarray(picture)
    model = ExportedModel(ROOT / "saved_models" / "glyphs" / "1")
    assert few_levels(drawn, model.generate(labels=[4], seed=1)[0])

    files = {x.removeprefix(address) for x in loaded if not x.startswith("data:")}
    assert files - {""} <= {str(x.relative_to(glyphs)) for x in glyphs.rglob("*")}
    later = page.requests[len(loaded) :]
    assert [x for x in later if not x.startswith("data:")] == []
    assert page.complaints == []


def test_everything_is_reached_with_the_keyboard(folder, serve, open_page):
    page = opened(open_page, serve(folder))
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    form = ["label", "seed", "next", "other", "share", "truncation"]
    assert reached == [*form, "frame", "download"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_it_fits(glyphs, serve, open_page, screenshot, width, scheme):
    page = opened(open_page, serve(glyphs), width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    screenshot(page, f"web-{width}-{scheme}")


def test_it_says_what_is_wrong(folder, tmp_path, serve, open_page):
    page = opened(open_page, serve(folder))
    page.fill("#seed", "99999999999999999")
    page.wait_for_selector("#status.error")
    assert "`seed` must be at most 2^53" in page.inner_text("#status")
    page.fill("#seed", "")
    settled(page)
    assert "`seed` must be an integer. Received: ''" in page.inner_text("#status")

    page = open_page((folder / "index.html").as_uri())
    page.wait_for_selector("#status.error")
    assert "python -m http.server" in page.inner_text("#status")

    shutil.copytree(folder, tmp_path / "x")
    (tmp_path / "x" / "model.onnx").unlink()
    page = open_page(serve(tmp_path / "x"))
    page.wait_for_selector("#status.error")
    assert "model.onnx could not be loaded: 404" in page.inner_text("#status")


@pytest.mark.patient
def test_the_first_picture_takes_less_than_three_seconds(glyphs, serve, open_page):
    """On two cores with nothing else on them."""
    page = open_page(serve(glyphs))
    page.wait_for_selector("#image[src]")
    milliseconds = page.evaluate("performance.now()")
    print(f"The first picture after {milliseconds / 1000:.2f} s.")
    assert milliseconds < 3000


# === The folder ===


def test_the_folder(glyphs):
    assert sum(x.stat().st_size for x in glyphs.rglob("*") if x.is_file()) < 6e6
    assert (glyphs / "onnxruntime" / "LICENSE").read_text().startswith("MIT License")
    card = json.loads((glyphs / "model.json").read_text())
    assert (card["name"], card["intended_use"]) == ("glyphs", "Tests.")
    assert card["training"]["steps"] > 0
    assert "glyphs" in (glyphs / "README.md").read_text()


def test_runs_in_onnx_runtime(conditional_gan, folder):
    assert verify_draws(conditional_gan, web_runner(folder)) <= 1e-4


def test_an_exported_model_without_a_card(conditional_export, tmp_path):
    model = ExportedModel(conditional_export)
    model.card = {"generator": {}}
    with pytest.raises(ValueError, match="has no model card that can be used"):
        export_web(model, tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_the_runtime_is_that_of_npm():
    sums = re.findall(r"`([0-9a-f]{64})`", (RUNTIME / "README.md").read_text())
    program = (RUNTIME / "ort.wasm.bundle.min.mjs").read_bytes()
    packed = (RUNTIME / "ort-wasm-simd-threaded.wasm.gz").read_bytes()
    files = program, gzip.decompress(packed)
    assert sums == [hashlib.sha256(content).hexdigest() for content in files]
