import numpy as np
import pytest
from PIL import Image

from keras_sagan.data.images import to_array


def gradient(width, height):
    """A picture whose grey value is a function of the column."""
    return Image.fromarray(np.tile(np.arange(width, dtype=np.uint8), (height, 1)))


def test_the_right_size_is_untouched():
    values = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    np.testing.assert_array_equal(to_array(Image.fromarray(values), 8, 3), values)


@pytest.mark.parametrize("size", [(20, 8), (8, 20), (9, 8)])
def test_center_crop_without_resize(size):
    image = gradient(*size)
    left, top = (size[0] - 8) // 2, (size[1] - 8) // 2
    expected = np.asarray(image)[top : top + 8, left : left + 8, None]
    np.testing.assert_array_equal(to_array(image, 8, 1), expected)


def test_reducing_is_antialiased():
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255  # alternate columns: nearest or bilinear would alias
    result = to_array(Image.fromarray(stripes), 8, 1)
    assert np.abs(result.astype(int) - 127).max() <= 6


def test_enlarging():
    result = to_array(gradient(4, 4), 16, 1)
    assert result.shape == (16, 16, 1)
    assert (np.diff(result[0, :, 0].astype(int)) >= 0).all()


@pytest.mark.parametrize(
    ("mode", "color", "rgb"),
    [
        ("1", 1, (255, 255, 255)),
        ("L", 77, (77, 77, 77)),
        ("RGB", (10, 200, 30), (10, 200, 30)),
        ("RGBA", (10, 200, 30, 255), (10, 200, 30)),
        ("RGBA", (10, 200, 30, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
        ("LA", (40, 0), (255, 255, 255)),
        ("CMYK", (255, 0, 0, 0), (0, 255, 255)),
        ("I;16", 65535, (255, 255, 255)),
        ("I;16", 257 * 9, (9, 9, 9)),
        ("I", 257 * 100, (100, 100, 100)),
    ],
)
def test_modes_as_rgb(mode, color, rgb):
    result = to_array(Image.new(mode, (8, 8), color), 8, 3)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result[3, 4], rgb)


def test_palette_with_a_transparent_entry():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    np.testing.assert_array_equal(to_array(image, 8, 3)[0, 0], (200, 100, 50))
    image.info["transparency"] = 1
    np.testing.assert_array_equal(to_array(image, 8, 3)[0, 0], (255, 255, 255))


def test_color_as_grey_is_luma():
    result = to_array(Image.new("RGB", (8, 8), (255, 0, 0)), 8, 1)
    np.testing.assert_array_equal(result[0, 0], [76])  # 0.299 * 255


def test_four_channels_keep_alpha():
    half = to_array(Image.new("RGBA", (8, 8), (1, 2, 3, 128)), 8, 4)
    np.testing.assert_array_equal(half[0, 0], (1, 2, 3, 128))
    opaque = to_array(Image.new("RGB", (8, 8), (1, 2, 3)), 8, 4)
    np.testing.assert_array_equal(opaque[0, 0], (1, 2, 3, 255))
