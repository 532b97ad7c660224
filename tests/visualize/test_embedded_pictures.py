import base64
import io

import numpy as np
import pytest
from PIL import Image

from keras_sagan.visualize import embedded_pictures, save_picture


def decoded(url):
    kind, _, content = url.partition(";base64,")
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        return kind, np.asarray(image)


def noise(seed, channels=3):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (40, 60, channels)).astype(np.uint8)


@pytest.fixture
def samples(tmp_path):
    for step in range(10):
        save_picture(tmp_path / f"{step}.png", noise(step))
    return [(step, tmp_path / f"{step}.png") for step in range(10)]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_loses_nothing(channels):
    kind, pixels = decoded(embedded_pictures.png_url(noise(0, channels)))
    assert kind == "data:image/png"
    np.testing.assert_array_equal(pixels.reshape(40, 60, channels), noise(0, channels))


def test_samples_that_fit_are_exact(samples):
    urls = embedded_pictures.sample_urls(samples, 20, 10**6)
    assert [step for step, _ in urls] == list(range(10))
    np.testing.assert_array_equal(decoded(urls[3][1])[1], noise(3))


def test_first_and_last_of_many(samples):
    urls = embedded_pictures.sample_urls(samples, 4, 10**6)
    assert [step for step, _ in urls] == [0, 3, 6, 9]


@pytest.mark.parametrize("most_bytes", [70_000, 20_000, 5_000])
def test_they_keep_within_their_bytes(samples, most_bytes):
    urls = embedded_pictures.sample_urls(samples, 20, most_bytes)
    assert 0 < sum(len(url) for _, url in urls) <= most_bytes
    assert {decoded(url)[0] for _, url in urls} == {"data:image/jpeg"}
    assert urls[-1][0] == 9 or len(urls) == 1


def test_nothing_fits_or_can_be_read(samples, tmp_path):
    assert embedded_pictures.sample_urls(samples, 20, 10) == []
    (tmp_path / "0.png").write_text("cut off")
    urls = embedded_pictures.sample_urls(samples[:2], 20, 10**6)
    assert [step for step, _ in urls] == [1]


def test_transparent_pictures_as_jpeg(tmp_path):
    save_picture(tmp_path / "x.png", noise(0, 4))
    [(_, url)] = embedded_pictures.sample_urls([(0, tmp_path / "x.png")], 1, 9_000)
    assert decoded(url)[1].shape == (40, 60, 3)


def test_only_those_that_are_shown_are_read(samples):
    """A long run has a thousand grids: those between are not even there."""
    many = [(step, samples[0][1].with_name("gone.png")) for step in range(1000)]
    for place in (0, 333, 666, 999):
        many[place] = (place, samples[place % 10][1])
    urls = embedded_pictures.sample_urls(many, 4, 10**6)
    assert [step for step, _ in urls] == [0, 333, 666, 999]


def test_large_ones_shrink_before_any_is_left_out(tmp_path):
    large = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    for step in range(6):
        save_picture(tmp_path / f"{step}.png", large)
    samples = [(step, tmp_path / f"{step}.png") for step in range(6)]
    urls = embedded_pictures.sample_urls(samples, 6, 200_000)
    assert [step for step, _ in urls] == list(range(6))
    assert {decoded(url)[1].shape for _, url in urls} == {(150, 200, 3)}


def test_only_png_is_read(tmp_path):
    """Pillow starts a program for some other formats, whatever a file is called."""
    path = tmp_path / "0000001.png"
    Image.new("RGB", (4, 4)).save(path, "PNG")
    assert embedded_pictures.read_picture(path).size == (4, 4)
    for kind in ("BMP", "EPS"):
        Image.new("RGB", (4, 4)).save(path, kind)
        assert embedded_pictures.read_picture(path) is None


def test_a_picture_that_is_huge(tmp_path, monkeypatch):
    """Up to twice its limit Pillow only warns."""
    save_picture(tmp_path / "x.png", noise(0))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", noise(0)[..., 0].size - 1)
    with pytest.warns(Image.DecompressionBombWarning):
        assert embedded_pictures.read_picture(tmp_path / "x.png") is None
