import json
import re
import time

import numpy as np
import pytest

from keras_sagan.runs import reading
from keras_sagan.visualize import View, save_picture
from keras_sagan.visualize.report import diagnosis
from keras_sagan.visualize.report import page as report

CONFIG = {
    "preset": "sagan_32_small",
    "model": {"image_size": 32},
    "training": {"steps": 10_000, "loss": "hinge"},
    "data": {"dataset": "folder:<mine>"},
    "versions": {"python": "3.11.7"},
}
FACTS = {
    "data": {
        "name": "folder:<mine>",
        "split": "train",
        "images": 5000,
        "image_size": 32,
        "channels": 3,
        "class_names": ["cat", "a & b"],
        "class_counts": [4000, 1000],
        "diversity": 61.5,
    },
    "machine": {"processor": "a fast one", "cores": 2},
}


def rows(count):
    wave = np.sin(np.arange(count))
    names = [f"g_sigma/block{i}" for i in range(15)] + ["g_gamma_16", "d_gamma_16"]
    names += [f"d_sigma/block{i}" for i in range(16)] + ["d_real", "d_fake"]
    return [
        {
            "step": i + 1,
            "seconds": float(i),
            "images_per_second": 200.0,
            "d_loss": 1.2 + 0.1 * wave[i],
            "g_loss": 0.5,
            **{name: j + wave[i] for j, name in enumerate(names)},
        }
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What 10,000 steps leave: a row for each, and hundred noisy grids."""
    folder = tmp_path_factory.mktemp("run") / "mine & yours"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "facts.json").write_text(json.dumps(FACTS))
    lines = [json.dumps(row) for row in rows(10_000)]
    (folder / "metrics.jsonl").write_text("\n".join(lines))
    grid = np.random.default_rng(0).integers(0, 256, (342, 274, 3)).astype(np.uint8)
    for step in range(0, 10_000, 100):
        save_picture(folder / "samples" / f"{step:07d}.png", grid)
    return reading.read_run(folder)


def extras(**values):
    image = np.random.default_rng(1).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    maps = np.random.default_rng(2).random((256, 64))
    maps /= maps.sum(axis=1, keepdims=True)
    shown = View(image, {"generator/attention_16": maps, "discriminator/a": maps})
    values = {
        "findings": [diagnosis.Finding("Slow <b>", "It & that.")],
        "differences": [("training.steps", "20000", "10000")],
        "views": [("class 3, seed 7", shown, [(2, 2), (30, 30)])],
        **values,
    }
    return report.Extras(**values)


@pytest.fixture(scope="module")
def page_file(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(report.build_report(run, extras()), encoding="utf-8")
    return path


@pytest.mark.slow
def test_size_and_time_of_ten_thousand_steps(run):
    begin = time.process_time()
    page = report.build_report(run, extras())
    assert time.process_time() - begin < 20
    assert 1e5 < len(page.encode()) < 5e6


def test_it_is_valid_html(page_file):
    html5lib = pytest.importorskip("html5lib")
    parser = html5lib.HTMLParser(strict=True)
    parser.parse(page_file.read_text(encoding="utf-8"))
    with pytest.raises(html5lib.html5parser.ParseError):
        parser.parse("<!DOCTYPE html><p></b>")


def test_nothing_outside_is_referred_to(page_file):
    text = page_file.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z]", re.sub(r"base64,[^\"]*", "", text))
    sources = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"') ]{5})", text)
    assert {x[0] for x in sources} <= {"d", "#"}  # data URLs and places in the page
    assert "default-src 'none'" in text


def test_every_figure_has_words_and_a_table(page_file):
    text = page_file.read_text(encoding="utf-8")
    figures = re.findall(r"<figure.*?</figure>(.{9})", text, flags=re.S)
    assert len(figures) == 8  # samples, six curves, attention
    assert set(figures) == {"<details>"}
    assert text.count("<table>") >= 8
    for image in re.findall(r"<img [^>]*>", text):
        assert re.search(r'alt="[^"]{20,}"', image)
    shown = re.findall(r"<figure><svg [^>]*>", text)
    assert len(shown) == 6
    for chart in shown:
        assert re.search(r'role="img" aria-label="[^"]{40,}"', chart)


def test_names_of_others_are_escaped(page_file):
    text = page_file.read_text(encoding="utf-8")
    assert "mine &amp; yours: sagan_32_small</h1>" in text
    assert "<strong>Slow &lt;b&gt;.</strong> It &amp; that." in text
    assert "folder:&lt;mine&gt;" in text and "a &amp; b" in text
    assert "<mine>" not in text and "<b>" not in text


def test_settings_data_and_machine(page_file):
    text = page_file.read_text(encoding="utf-8")
    assert "training.steps</th><td>20000</td><td>10000</td>" in text
    assert ">images</th><td>5000</td>" in text and "<td>4,000</td>" in text
    assert "<td>a fast one</td>" in text and ">python</th><td>3.11.7</td>" in text


@pytest.mark.parametrize(
    ("differences", "words"),
    [([], "All settings are those of the preset"), (None, "does not know the preset")],
)
def test_a_young_or_old_run(differences, words):
    config = {"training": {}, "preset": "x"}
    run = reading.RunFiles("young", config, {}, [], [], [])
    made = extras(findings=[], differences=differences, views=[], no_views="No model.")
    text = report.build_report(run, made)
    assert "no rows of metrics yet" in text and "written no samples" in text
    assert "None of the problems that this report checks for" in text
    assert "Not recorded" in text and "did not record the machine" in text
    assert "<p>No model.</p>" in text and words in text


# === In a browser, without a network ===


# The words of charts that are not wholly inside of theirs.
CUT_OFF = """
() => [...document.querySelectorAll("figure > svg")].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  const inside = (box) => box.left >= frame.left - 0.5 && box.right <= frame.right + 0.5
    && box.top >= frame.top - 0.5 && box.bottom <= frame.bottom + 0.5;
  return [...svg.querySelectorAll("text")]
    .filter((text) => !inside(text.getBoundingClientRect()))
    .map((text) => text.textContent);
})
"""


@pytest.mark.parametrize(
    ("width", "scheme"), [(1100, "light"), (1100, "dark"), (390, "light")]
)
def test_in_a_browser(page_file, open_page, screenshot, width, scheme):
    page = open_page(page_file.as_uri(), width, scheme, offline=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_OFF) == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    shown = page.locator(".slides img:visible")
    last = shown.get_attribute("data-step")
    page.locator(".slides input").focus()
    page.keyboard.press("Home")
    assert shown.count() == 1
    assert page.inner_text(".slides output") == "0" != last
    page.locator("details").first.locator("summary").click()
    assert page.locator("details").first.locator("table").is_visible()
    screenshot(page, f"report-{width}-{scheme}")
    assert page.complaints == []
    left = [x for x in page.requests if not x.startswith("data:")]
    assert left == [page_file.as_uri()]
