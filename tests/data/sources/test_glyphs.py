import hashlib

import numpy as np
import pytest

from keras_sagan.data.sources import glyphs


def digest(split, indices, image_size):
    glyphs._digit_mask.cache_clear()
    glyphs._font.cache_clear()
    images = [glyphs.render(split, index, image_size)[0] for index in indices]
    return hashlib.sha256(np.stack(images).tobytes()).hexdigest()


def test_two_renders_are_equal_in_any_order():
    first = digest("train", range(20), 32)
    assert digest("train", range(20), 32) == first
    images = [glyphs.render("train", index, 32)[0] for index in reversed(range(20))]
    joined = np.stack(images[::-1]).tobytes()
    assert hashlib.sha256(joined).hexdigest() == first


def test_splits_and_indices_draw_differently():
    images = [glyphs.render("train", index, 32)[0] for index in range(0, 300, 10)]
    images += [glyphs.render("test", index, 32)[0] for index in range(0, 300, 10)]
    assert len({image.tobytes() for image in images}) == 60


def test_a_thousand_of_each_digit():
    assert glyphs.SPLIT_SIZES == {"train": 10_000, "test": 2_000}
    assert [glyphs.render("test", index, 8)[1] for index in range(12)] == [
        *range(10),
        *(0, 1),
    ]


@pytest.mark.parametrize("image_size", [8, 31, 32, 64, 100, 128])
def test_one_large_glyph_on_black(image_size):
    for index in range(30):
        image, _ = glyphs.render("train", index, image_size)
        assert image.shape == (image_size, image_size, 3)
        assert image.dtype == np.uint8
        rows = np.flatnonzero(image.max(axis=(1, 2)) > 127)
        height = (rows[-1] - rows[0] + 1) / image_size
        assert 0.6 <= height <= 0.95
        border = image.copy()
        border[1:-1, 1:-1] = 0
        assert border.max() < 64, "the glyph is cut off"


def test_one_bright_color_an_image():
    seen = set()
    for index in range(60):
        image, _ = glyphs.render("train", index, 32)
        brightest = tuple(int(v) for v in image.reshape(-1, 3).max(axis=0))
        nearest = min(
            glyphs.COLORS, key=lambda c: np.abs(np.subtract(c, brightest)).max()
        )
        assert np.abs(np.subtract(nearest, brightest)).max() <= 8
        seen.add(nearest)
    assert seen == set(glyphs.COLORS)


def test_edges_are_antialiased():
    image, _ = glyphs.render("train", 0, 32)
    assert len(np.unique(image)) > 20


def test_digits_are_distinct():
    """The nearest mean of another split's images names nearly every digit."""
    splits = {}
    for split, count in (("train", 600), ("test", 200)):
        draws = [glyphs.render(split, index, 32) for index in range(count)]
        masks = np.stack([image.max(axis=2) for image, _ in draws]).astype(np.float32)
        splits[split] = (
            masks.reshape(count, -1),
            np.array([label for _, label in draws]),
        )
    masks, labels = splits["train"]
    means = np.stack([masks[labels == digit].mean(axis=0) for digit in range(10)])
    masks, labels = splits["test"]
    distances = ((masks[:, None] - means[None]) ** 2).sum(axis=2)
    assert (distances.argmin(axis=1) == labels).mean() > 0.95
