import numpy as np
import pytest

from keras_sagan.visualize import View, attention_figure, draw_view, overlay
from keras_sagan.visualize.attention import COLORS, view
from keras_sagan.visualize.positions import spread_over_pixels
from tests import helpers


@pytest.fixture(scope="module")
def gan():
    return helpers.tiny_gan()


def crafted(channels=3):
    """A black image; query `i` of a 4 x 4 grid looks at position `15 - i` alone."""
    image = np.zeros((32, 32, channels), np.uint8)
    return View(image, {"generator/attention_4": np.eye(16)[::-1]})


def test_view_is_the_models_image_and_maps(gan):
    shown = view(gan, "green", 7)
    np.testing.assert_array_equal(shown.image, gan.generate(labels=[1], seed=7)[0])
    maps = gan.attention_maps(labels=[1], seed=7)
    assert list(shown.maps) == ["generator/attention_16", "discriminator/attention_16"]
    for layer, attention in shown.maps.items():
        np.testing.assert_array_equal(attention, maps[layer][0])


def test_overlay_equals_the_attention_map(gan):
    """From the picture back to the numbers of `attention_maps`."""
    maps = gan.attention_maps(labels=[1], seed=7)
    shown = view(gan, "green", 7)
    for layer, attention in maps.items():
        x, y = 21, 10
        row = attention[0, (y // 2) * 16 + x // 2]
        np.testing.assert_array_equal(shown.weights(layer, (x, y)), row)
        drawn = overlay(
            np.zeros((32, 32, 3), np.uint8), spread_over_pixels(row, 32), (255, 0, 0)
        )
        cells = drawn[::4, ::4, 0].ravel() / 255 * row.max()
        np.testing.assert_allclose(cells, row, atol=row.max() / 509)


def test_overlay_formula():
    image = np.full((2, 2, 1), 200, np.uint8)
    weights = np.array([[0.0, 0.1], [0.2, 0.05]])
    drawn = overlay(image, weights, (0, 100, 250))
    np.testing.assert_array_equal(drawn[0, 0], [90, 90, 90])
    np.testing.assert_array_equal(drawn[0, 1], [45, 95, 170])
    np.testing.assert_array_equal(drawn[1, 0], [0, 100, 250])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_figure_lights_up_where_the_point_looks(channels):
    point, other = (2, 2), (30, 10)  # queries 0 and 7: look at 15 and 8
    pixels = draw_view(crafted(channels), [point, other])
    tile = 160
    for number, (row, column) in enumerate([(3, 3), (2, 0)]):
        left = 8 + (number + 1) * (tile + 8)
        picture = pixels[22 : 22 + tile, left : left + tile].astype(int)
        lit = (abs(picture - COLORS[number]).sum(axis=-1) == 0).reshape(4, 40, 4, 40)
        shares = lit.mean(axis=(1, 3))
        assert shares.argmax() == 4 * row + column
        assert shares[row, column] > 0.6


def test_points_are_marked_in_the_image():
    pixels = draw_view(crafted(), [(2, 2), (30, 10)])
    image = pixels[22 : 22 + 160, 8 : 8 + 160]
    assert (image[0, :40] == COLORS[0]).all()  # the cell of the first point
    assert (image[40:80, 118:121] == COLORS[1]).all()
    assert (image[40:80, 117] == 255).all()


def test_the_share_does_not_hide_the_point():
    """It is written into the corner that the point leaves free."""
    for point, written in [
        ((31, 31), np.s_[-30:-3, :50]),
        ((2, 2), np.s_[-30:-3, -50:]),
    ]:
        pixels = draw_view(crafted(), [point])
        picture = pixels[22 : 22 + 160, 8 + 168 : 168 + 168]
        white = (picture[written] == 255).all(axis=-1)
        assert white.sum() > 15


def test_small_shares_have_a_decimal(monkeypatch):
    from keras_sagan.visualize import attention

    written = []
    monkeypatch.setattr(attention, "_write", lambda *x: written.append(x[2]))
    uniform = View(np.zeros((32, 32, 3), np.uint8), {"x": np.full((16, 256), 1 / 256)})
    draw_view(uniform, [(2, 2)])
    draw_view(crafted(), [(2, 2)])
    assert written == ["1", "0.4%", "1", "100%"]


def test_figure_of_a_model_has_a_row_a_layer(gan):
    one = attention_figure(gan, 1, 7, layers=["generator/attention_16"])
    both = attention_figure(gan, 1, 7)
    assert both.shape[0] - one.shape[0] == 22 + 160 + 8
    np.testing.assert_array_equal(both[: 22 + 160], one[: 22 + 160])
    titled = attention_figure(gan, 1, 7, title="step 3")
    np.testing.assert_array_equal(titled[22:], both)


def test_one_point_is_enough(gan):
    assert attention_figure(gan, 0, points=[(0, 0)]).shape[2] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": [(32, 0)]}, "from 0,0 to 31,31. Received: 32,0"),
        ({"points": "middle"}, "Received: points='middle'"),
        ({"points": []}, "1 to 6 pixels. Received: 0"),
        ({"points": [(1.5, 2)]}, r"two integers. Received: \[\(1.5, 2\)\]"),
        ({"points": [3, 4]}, r"two integers. Received: \[3, 4\]"),
        ({"num_points": 7}, "num_points=7"),
        ({"layers": ["generator/attention_8"]}, "Received: generator/attention_8"),
        ({"label": "purple"}, "'purple'"),
        ({"label": 3}, r"in \[0, 3\)"),
    ],
)
def test_wrong_arguments(gan, arguments, message):
    with pytest.raises(ValueError, match=message):
        attention_figure(gan, **{"label": 0, **arguments})


@pytest.mark.parametrize("networks", [{"attention": False}])
def test_a_model_without_attention(networks):
    with pytest.raises(ValueError, match="no attention layers whose maps"):
        attention_figure(helpers.tiny_gan(**networks), label=0)


@pytest.mark.slow
def test_an_unconditional_model():
    gan = helpers.tiny_gan(num_classes=None)
    shown = view(gan, seed=3)
    np.testing.assert_array_equal(shown.image, gan.generate(num_images=1, seed=3)[0])
