import numpy as np
import pytest
from PIL import Image, ImageOps

from keras_sagan.data.decoding import open_picture
from keras_sagan.data.images import MODES, to_array


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


# === Against references ===
def lanczos(values, size):
    """The definition, along the first axis, in float64."""
    scale = len(values) / size
    result = np.zeros((size, *values.shape[1:]))
    for i in range(size):
        centers = (np.arange(len(values)) + 0.5 - (i + 0.5) * scale) / scale
        weights = np.where(abs(centers) < 3, np.sinc(centers) * np.sinc(centers / 3), 0)
        result[i] = np.tensordot(weights / weights.sum(), values, 1)
    return result


@pytest.mark.parametrize("size", [(64, 64), (97, 61), (50, 200)])
def test_reducing_is_the_lanczos_filter(size):
    image = Image.effect_noise(size, 60)
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    square = np.asarray(image, np.float64)[top : top + side, left : left + side]
    columns = np.rint(lanczos(square.T, 32).clip(0, 255)).T  # first, as Pillow does
    expected = lanczos(columns, 32).clip(0, 255)
    actual = to_array(image, 32, 1)[..., 0]
    assert np.abs(actual - expected).max() <= 1  # level of 255


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
@pytest.mark.parametrize("size", [(301, 203), (64, 64), (33, 40)])
def test_every_mode_is_resized_as_pillow_does(mode, size):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
    image = Image.fromarray(values).convert(mode)
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    square = image.convert("RGB").crop((left, top, left + side, top + side))
    expected = np.asarray(square.resize((32, 32), Image.Resampling.LANCZOS), int)
    assert np.abs(to_array(image, 32, 3) - expected).max() <= 1


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_files_are_resized_as_pillow_does(format, tmp_path):
    path = tmp_path / "picture"
    values = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    Image.fromarray(values).save(path, format)
    picture, _ = open_picture(path)
    with Image.open(path) as file:
        whole = file.convert("RGB").crop((50, 0, 350, 300))
    expected = np.asarray(whole.resize((64, 64), Image.Resampling.LANCZOS), int)
    assert np.abs(to_array(picture, 64, 3) - expected).max() <= 1


@pytest.mark.parametrize("size", [(20, 8), (8, 20), (9, 8), (301, 100), (5, 3)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_padding_is_that_of_pillow(size, channels):
    """The whole picture in the middle, black (or transparent) around it."""
    values = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)
    image = Image.fromarray(values).convert(MODES[channels])
    grows = max(size) < 8
    method = Image.Resampling.BICUBIC if grows else Image.Resampling.LANCZOS
    expected = np.asarray(ImageOps.pad(image, (8, 8), method)).reshape(8, 8, channels)
    result = to_array(image, 8, channels, "pad")
    # Where the border is odd, one side of it is a pixel wider: here the right one.
    shifts = [expected, np.roll(expected, -1, 0), np.roll(expected, -1, 1)]
    assert min(abs(result - x.astype(int)).max() for x in shifts) <= 1


@pytest.mark.parametrize("size", [(4_000_000, 1), (1, 4_000_000)])
def test_padding_of_a_very_long_picture_takes_little(size):
    result = to_array(Image.new("L", size, 200), 32, 1, "pad")  # not a square of it
    line = result[:, :, 0] if size[0] == 1 else result[:, :, 0].T
    assert sorted(line.max(axis=0)) == [0] * 31 + [200]


def test_a_transparent_value_of_16_bits(tmp_path):
    deep = Image.fromarray(np.array([[0, 700], [65535, 700]], np.uint16))
    deep.save(tmp_path / "1.png", transparency=700)
    with Image.open(tmp_path / "1.png") as image:
        assert image.info["transparency"] == 700
        assert to_array(image, 2, 3)[:, :, 0].tolist() == [[0, 255], [255, 255]]
        assert to_array(image, 2, 4)[:, :, 3].tolist() == [[255, 0], [255, 0]]
