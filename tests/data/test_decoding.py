import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from keras_sagan.data import decoding


def test_results_keep_their_order():
    def slow_first(item):
        time.sleep(0.02 if item == 0 else 0)
        return item

    results = decoding.map_parallel(slow_first, range(100))
    assert list(results) == list(range(100))


def test_items_are_read_little_ahead():
    """Memory is bounded: what is not yet taken is not yet computed."""
    read = []

    def items():
        for item in range(10_000):
            read.append(item)
            yield item

    results = decoding.map_parallel(lambda item: item, items())
    for _ in range(10):
        next(results)
    ahead = decoding._AHEAD * decoding._CHUNK * decoding.workers()
    assert len(read) <= 10 + ahead
    results.close()
    assert threading.active_count() < 50


def test_the_first_error_ends_it():
    def fail(item):
        if item in (3, 7):
            raise ValueError(str(item))
        return item

    results = decoding.map_parallel(fail, range(1000))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match=r"^3$"):
        next(results)


def test_progress_is_shown_for_many_only(capsys, monkeypatch):
    monkeypatch.setattr(decoding.progress, "LINE_SECONDS", 0.0)
    assert list(decoding.with_progress(range(3), 3, "few")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    list(decoding.with_progress(range(1000), 2000, "many", done=1000))
    assert "many: 2000/2000 pictures" in capsys.readouterr().err


def test_no_bar_in_a_log_file(capsys):
    """It ended there as one line of 1000 carriage returns."""
    list(decoding.with_progress(range(2000), 2000, "many"))
    assert capsys.readouterr().err == ""


def test_what_is_stored_is_told(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.new("L", (6, 4)).save(tmp_path / "1.jpg", exif=exif)
    picture, stored = decoding.open_picture(tmp_path / "1.jpg")
    assert stored == (6, 4, "L")
    assert picture.size == (4, 6)


def test_messages_use_the_name(tmp_path):
    (tmp_path / "1.png").write_text("x")
    with pytest.raises(ValueError, match="cannot read picture the first: Unid"):
        decoding.open_picture(tmp_path / "1.png", "the first")


def test_jpegs_are_not_decoded_at_a_half_of_their_size(tmp_path):
    """Decoding at a half of the size and then resizing is off by many levels."""
    values = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    Image.fromarray(values).save(tmp_path / "1.jpg")
    picture, _ = decoding.open_picture(tmp_path / "1.jpg")
    assert picture.size == (256, 256)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_the_limit_is_ours_where_pillow_only_warns(tmp_path):
    width = decoding.MAX_PIXELS // 9_000 + 1
    Image.new("1", (width, 9_000)).save(tmp_path / "1.png")
    with pytest.raises(ValueError, match=rf"{width} x 9000 pixels are more than the"):
        decoding.open_picture(tmp_path / "1.png")
    Image.new("1", (width - 1, 9_000)).save(tmp_path / "2.png")
    picture, _ = decoding.open_picture(tmp_path / "2.png")
    assert picture.size == (width - 1, 9_000)


def test_heic(tmp_path):
    """With the extra; without it the message names the package."""
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    Image.new("RGB", (6, 4), (10, 200, 30)).save(tmp_path / "1.jpg", "HEIF")
    assert decoding.is_picture((tmp_path / "1.jpg").rename(tmp_path / "IMG_1"))
    picture, stored = decoding.open_picture(tmp_path / "IMG_1")
    assert stored == (6, 4, "RGB")
    np.testing.assert_allclose(picture.getpixel((3, 2)), (10, 200, 30), atol=4)


@pytest.mark.parametrize("brands", [b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1heic"])
def test_heic_without_its_package(tmp_path, monkeypatch, brands):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    decoding._register_heif.cache_clear()
    path = tmp_path / "IMG_1"
    path.write_bytes(b"\0\0\0\x18ftyp" + brands + bytes(100))
    assert decoding.is_picture(path)
    with pytest.raises(
        ValueError, match=r"IMG_1: .*HEIC needs.*(pillow-heif|\[heif\])"
    ):
        decoding.open_picture(path)


def test_films_are_no_pictures(tmp_path):
    path = tmp_path / "IMG_1.mov"
    path.write_bytes(b"\0\0\0\x14ftypqt  \0\0\0\0qt  \0\0\0\x08wide" + bytes(100))
    assert not decoding.is_picture(path)
