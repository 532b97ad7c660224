"""Draws points of a generated image and where each of them attends, as in the paper."""

import dataclasses
import operator
import typing
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_sagan.visualize import files, positions

# The palette of Okabe and Ito, which people with colour blindness can distinguish.
COLORS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (213, 94, 0),
    (204, 121, 167),
)
_GAP, _LINE = 8, 22  # pixels
_PAPER, _INK = (255, 255, 255), (30, 30, 30)
_DIMMED = 0.45  # brightness of the image below an overlay


@dataclasses.dataclass(frozen=True)
class View:
    """A generated image and its attention maps.

    Args:
        image: uint8 array `(size, size, channels)`.
        maps: dict from the name of a layer, e.g. `"generator/attention_16"`, to a float
            array `(queries, keys)`.
    """

    image: np.ndarray
    maps: dict

    @property
    def size(self) -> int:
        """int. Height and width of the image in pixels."""
        return len(self.image)

    def weights(self, layer: str, point: tuple[int, int]) -> np.ndarray:
        """Returns the attention of the query of a pixel: float array `(keys,)`."""
        attention = self.maps[layer]
        side = positions.grid_side(len(attention))
        return attention[positions.query_index(*point, self.size, side)]


def view(gan: typing.Any, label: int | str | None = None, seed: int = 0) -> View:
    """Generates an image together with its attention maps.

    Args:
        gan: `SAGAN`, or an opened export.
        label: index or name of a class, or `None` for an unconditional model.
        seed: int.

    Returns: `View`.

    Raises:
        ValueError: if the model has no attention layers, or as for `gan.generate`.
    """
    rows = {"num_images": 1} if label is None else {"labels": [label]}
    maps = gan.attention_maps(**rows, seed=seed)
    if not maps:
        raise ValueError("The model has no attention layers whose maps could be shown.")
    image = gan.generate(**rows, seed=seed)[0]
    return View(image, {layer: attention[0] for layer, attention in maps.items()})


def has_maps(gan):
    """Returns whether a `SAGAN` has attention layers in one of its networks."""
    return any(
        network.attention_resolutions and network.attention != "residual"
        for network in (gan.generator, gan.discriminator)
    )


def attention_figure(
    gan: typing.Any,
    label: int | str | None = None,
    seed: int = 0,
    points: str | Sequence[tuple[int, int]] = "auto",
    num_points: int = 4,
    layers: Sequence[str] | None = None,
    title: str | None = None,
) -> np.ndarray:
    """Draws where points of a generated image attend, for every attention layer.

    The figure has a row for each layer, with the image and its points first, followed
    by a picture for each point in the colour of the point. The brightness of a position
    is the attention that it gets, relative to the largest attention of any position,
    which is the number in the corner.

    Args:
        gan: `SAGAN` with attention.
        label: index or name of a class, or `None` for an unconditional model.
        seed: int.
        points: `"auto"`, or pixels `[(x, y), ...]` from the upper left corner.
            `"auto"` chooses those with the most non-local maps of the first layer.
        num_points: int in [1, 6]. Number of points that `"auto"` chooses.
        layers: names as in `gan.attention_maps`, or `None` for all, with those of the
            generator first.
        title: str, or `None`. Text above the figure.

    Returns: uint8 array `(height, width, 3)`.

    Raises:
        ValueError: if the model has no attention layers, if a layer is unknown, if a
            point is outside the image, or as for `gan.generate`.

    Example:
        pixels = ks.visualize.attention_figure(gan, label=3, seed=7)
    """
    return draw_view(view(gan, label, seed), points, num_points, layers, title)


def draw_view(
    shown: View,
    points: str | Sequence[tuple[int, int]] = "auto",
    num_points: int = 4,
    layers: Sequence[str] | None = None,
    title: str | None = None,
) -> np.ndarray:
    """Draws the figure of `attention_figure` for a `View`."""
    layers = chosen_layers(shown, layers)
    points = chosen_points(shown, points, num_points, layers[0])
    tile = shown.size * max(1, round(160 / shown.size))
    top = _LINE if title else 0
    row = _LINE + tile + _GAP
    width = max((tile + _GAP) * (1 + len(points)) + _GAP, 420)
    figure = Image.new("RGB", (width, top + row * len(layers) + _GAP + _LINE), _PAPER)
    draw = ImageDraw.Draw(figure)
    font = ImageFont.load_default(14)
    if title:
        draw.text((_GAP, top / 2), title, _INK, font, anchor="lm")
    for index, layer in enumerate(layers):
        y = top + index * row
        draw.text((_GAP, y + _LINE / 2), _caption(shown, layer), _INK, font, "lm")
        tiles = [_with_cells(shown, layer, points, tile)]
        for number, point in enumerate(points):
            weights = positions.spread_over_pixels(
                shown.weights(layer, point), shown.size
            )
            pixels = overlay(shown.image, weights, color(number))
            tiles.append(_with_mark(pixels, shown, layer, point, number, tile))
        for column, picture in enumerate(tiles):
            figure.paste(picture, (_GAP + column * (tile + _GAP), y + _LINE))
    for number, (x, y) in enumerate(points, 1):
        place = _GAP + number * (tile + _GAP) + tile / 2, figure.height - _LINE / 2
        draw.text(place, f"point {number}: {x},{y}", _INK, font, anchor="mm")
    return np.asarray(figure)


def overlay(
    image: np.ndarray, weights: np.ndarray, rgb: tuple[int, int, int]
) -> np.ndarray:
    """Draws attention as light of one colour on a dimmed grey copy of an image.

    Args:
        image: uint8 array `(size, size, channels)`.
        weights: float array `(size, size)`. The largest weight gets the full colour.
        rgb: three ints in [0, 255].

    Returns: uint8 array `(size, size, 3)`: `(1 - a) * 0.45 * grey + a * rgb`, with `a`
        the weights divided by the largest.
    """
    grey = np.asarray(files.to_image(image).convert("L"), np.float64)[..., None]
    share = np.asarray(weights, np.float64)
    share = (share / max(share.max(), 1e-30))[..., None]
    return np.rint((1 - share) * _DIMMED * grey + share * rgb).astype(np.uint8)


def color(number: int) -> tuple[int, int, int]:
    """Returns the colour of point `number`, counted from 0."""
    return COLORS[number % len(COLORS)]


def chosen_layers(shown: View, layers: Sequence[str] | None) -> list[str]:
    """Checks and returns the names of the layers to show; see `attention_figure`."""
    if layers is None:
        return list(shown.maps)
    unknown = [name for name in layers if name not in shown.maps]
    if unknown or not layers:
        raise ValueError(
            f"`layers` must be some of {', '.join(shown.maps)}. "
            f"Received: {', '.join(unknown) or 'none'}."
        )
    return list(layers)


def chosen_points(
    shown: View, points: str | Sequence[tuple[int, int]], num_points: int, layer: str
) -> list[tuple[int, int]]:
    """Checks and returns the pixels to show; see `attention_figure`."""
    if isinstance(points, str):
        if points != "auto" or not 1 <= num_points <= len(COLORS):
            raise ValueError(
                '`points` must be "auto" or pixels (x, y), and `num_points` in [1, '
                f"{len(COLORS)}]. Received: points={points!r}, "
                f"num_points={num_points!r}."
            )
        attention = shown.maps[layer]
        return positions.most_non_local_points(attention, num_points, shown.size)
    try:
        pixels = [(operator.index(x), operator.index(y)) for x, y in points]
    except (TypeError, ValueError):
        raise ValueError(
            f"`points` must be pixels (x, y) of two integers. Received: {points!r}."
        ) from None
    if not 1 <= len(pixels) <= len(COLORS):
        raise ValueError(
            f"`points` must be 1 to {len(COLORS)} pixels. Received: {len(pixels)}."
        )
    for x, y in pixels:
        positions.query_index(x, y, shown.size, 1)  # raises if outside the image
    return pixels


def cell(shown, layer, point, tile):
    """Returns (left, top, side) of a query's cell in a picture of `tile` pixels."""
    side = positions.grid_side(len(shown.maps[layer]))
    row, column = divmod(positions.query_index(*point, shown.size, side), side)
    step = tile / side
    return column * step, row * step, step


def _caption(shown, layer):
    queries, keys = map(positions.grid_side, shown.maps[layer].shape)
    network, _, name = layer.partition("/")
    return f"{network}, {name}: {queries} x {queries} positions look at {keys} x {keys}"


def _with_cells(shown, layer, points, tile):
    picture = _enlarged(shown.image, tile)
    draw = ImageDraw.Draw(picture)
    for number, point in enumerate(points):
        _mark(draw, cell(shown, layer, point, tile), color(number), str(number + 1))
    return picture


def _with_mark(pixels, shown, layer, point, number, tile):
    picture = _enlarged(pixels, tile)
    draw = ImageDraw.Draw(picture)
    place = cell(shown, layer, point, tile)
    _mark(draw, place, color(number))
    most = shown.weights(layer, point).max()
    text = f"{most:.0%}" if most >= 0.1 else f"{most:.1%}"
    left, top, side = place
    if left + side > tile - 60 and top + side > tile - 30:  # the point is in the corner
        _write(draw, (4, tile - 4), text, (255, 255, 255), "ld")
    else:
        _write(draw, (tile - 4, tile - 4), text, (255, 255, 255), "rd")
    return picture


def _mark(draw, place, rgb, text=None):
    left, top, side = place
    box = (left, top, left + side - 1, top + side - 1)
    for far, line in [(4, "black"), (3, "white"), (2, rgb), (1, rgb), (0, rgb)]:
        edges = (box[0] - far, box[1] - far, box[2] + far, box[3] + far)
        draw.rectangle(edges, outline=line)
    if text:
        near_edge = box[2] + 24 > draw.im.size[0]
        x = box[0] - 7 if near_edge else box[2] + 7
        y = min(box[1], draw.im.size[1] - 14)
        _write(draw, (x, y), text, rgb, "ra" if near_edge else "la")


def _write(draw, place, text, rgb, anchor):
    font = ImageFont.load_default(14)
    draw.text(place, text, rgb, font, anchor, stroke_width=2, stroke_fill="black")


def _enlarged(pixels, tile):
    picture = files.to_image(pixels).convert("RGB")
    return picture.resize((tile, tile), Image.Resampling.NEAREST)
