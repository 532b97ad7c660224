"""Draws the built-in data set "shapes": two matching objects that are far apart.

It is for studies of attention. One object is at the left edge of the image and one at
the right, at independent heights, with the same shape and the same colour. The class is
a pair of shapes, of which an image shows only one, twice. Therefore a generator that
draws shapes of the right class must still make them agree across the image. In class
"disc+cross", two discs agree; a disc and a cross do not, although both belong to the
class.

Every image is a pure function of split, index and image size. Objects are at whole
pixels, so that `nearest` can find exactly what an image was drawn from.
"""

import functools
import itertools
import typing

import numpy as np

from keras_sagan.data.sources.glyphs import COLORS

SHAPES = ("disc", "square", "triangle", "cross")
PAIRS = tuple(itertools.combinations(range(len(SHAPES)), 2))
CLASS_NAMES = tuple("+".join(SHAPES[shape] for shape in pair) for pair in PAIRS)

# Number of examples: 2,000 and 400 of each class.
SPLIT_SIZES = {"train": 12_000, "test": 2_400}

_SPLIT_SEEDS = {"train": 20_190_611, "test": 20_190_612}

_SIZE = 0.3  # of an object, as a share of the image
_SHIFT = 0.06  # largest distance from the margin, as a share of the image
_OVERSAMPLING = 16
_FOUND = 0.5  # share of the energy of half an image that a found object must explain


class Objects(typing.NamedTuple):
    """The objects of images: arrays `(n, 2)` for the left and the right side.

    Attributes:
        shapes: int. Index into `SHAPES`.
        colors: int. Index into `COLORS`.
        found: bool. Whether there is an object on this side at all.
    """

    shapes: np.ndarray
    colors: np.ndarray
    found: np.ndarray


class Agreement(typing.NamedTuple):
    """Whether the two objects of each image match: bool arrays `(n,)`.

    Attributes:
        color: whether there are two objects of the same colour.
        shape: whether there are two objects of the same shape.
        both: whether both of the above are true.
        label: whether both shapes belong to the class; `None` without labels.
    """

    color: np.ndarray
    shape: np.ndarray
    both: np.ndarray
    label: np.ndarray | None


def render(split, index, image_size):
    """Draws one example.

    Args:
        split: "train" or "test", which have different images.
        index: int >= 0. The label is `index % 6`.
        image_size: int. Height and width in pixels.

    Returns:
        Tuple `(image, label)`: uint8 array `(image_size, image_size, 3)`, and int.
    """
    rng = np.random.default_rng([_SPLIT_SEEDS[split], index])
    label = index % len(PAIRS)
    shape = PAIRS[label][rng.integers(2)]
    color = rng.integers(len(COLORS))
    image = np.zeros((image_size, image_size, 3), np.uint8)
    for side in (0, 1):
        tops, lefts = _places(image_size, side)
        draw(image, shape, color, rng.choice(tops), rng.choice(lefts))
    return image, label


def draw(image, shape, color, top, left):
    """Draws an object into a uint8 image `(S, S, 3)`, in place."""
    mask = _masks(len(image))[shape][..., np.newaxis]
    size = len(mask)
    image[top : top + size, left : left + size] = np.rint(mask * COLORS[color])


def nearest(images):
    """Finds the object on each side that is most similar to an image.

    Among all shapes, colours and positions that `render` uses, it is the one with the
    smallest squared error in this half of the image. On images of the data set, the
    result is exact.

    Args:
        images: uint8 array `(n, S, S, 3)`.

    Returns:
        `Objects`.

    Raises:
        ValueError: if they are not such an array.
    """
    images = np.asarray(images)
    square = images.ndim == 4 and images.shape[1] == images.shape[2]
    if (
        images.dtype != np.uint8
        or not square
        or images.shape[3] != 3
        or not images.size
    ):
        raise ValueError(
            "`images` must be a uint8 array (n, S, S, 3), n > 0. Received: "
            f"{images.dtype} of shape {images.shape}."
        )
    sides = [_nearest(images, side) for side in (0, 1)]
    return Objects(*(np.stack(column, axis=1) for column in zip(*sides, strict=True)))


def agreement(images, labels=None):
    """Determines whether the two objects of each image match.

    Args:
        images: uint8 array `(n, S, S, 3)`.
        labels: integers `(n,)`, or `None`.

    Returns:
        `Agreement`. The mean of a field is the share of images that follow the rule. On
        the data set all means are 1. If the two sides were drawn independently given
        the class, they would be 1/6 for `color`, 1/2 for `shape` and 1/12 for `both`.
    """
    objects = nearest(images)
    there = objects.found.all(axis=1)
    color = there & (objects.colors[:, 0] == objects.colors[:, 1])
    shape = there & (objects.shapes[:, 0] == objects.shapes[:, 1])
    label = None
    if labels is not None:
        pairs = np.array(PAIRS)[np.asarray(labels)]  # (n, 2)
        matches = objects.shapes[:, :, None] == pairs[:, None]
        label = there & matches.any(axis=2).all(axis=1)
    return Agreement(color, shape, color & shape, label)


def _nearest(images, side, chunk=256):
    """Returns shapes, colours and found of one side: list of arrays `(n,)`."""
    results = []
    for start in range(0, len(images), chunk):
        results.append(_nearest_of_few(images[start : start + chunk], side))
    return [np.concatenate(column) for column in zip(*results, strict=True)]


def _nearest_of_few(images, side):
    count, image_size = images.shape[:2]
    half = image_size // 2
    part = images[:, :, :half] if side == 0 else images[:, :, -half:]
    part = part.astype(np.float32)
    tops, lefts = _places(image_size, side)
    lefts = lefts - side * (image_size - half)
    masks = _masks(image_size)  # (shapes, s, s)
    size = masks.shape[1]
    windows = np.lib.stride_tricks.sliding_window_view(part, (size, size), (1, 2))
    windows = windows[:, tops[0] : tops[-1] + 1, lefts[0] : lefts[-1] + 1]
    windows = windows.reshape(count, -1, 3, size * size)  # (n, places, 3, s*s)
    products = windows @ masks.reshape(len(SHAPES), -1).T  # (n, places, 3, shapes)
    # |x - o|^2 = |x|^2 - gain with o = color * mask, so the largest gain is nearest.
    colors = np.array(COLORS, np.float32)  # (colors, 3)
    own = np.outer((colors**2).sum(axis=1), (masks**2).sum(axis=(1, 2)))
    gain = (2 * np.einsum("npcs,kc->npks", products, colors) - own).max(axis=1)
    which = gain.reshape(count, -1).argmax(axis=1)
    energy = (part**2).sum(axis=(1, 2, 3))
    found = gain.max(axis=(1, 2)) > _FOUND * np.maximum(energy, 1)
    return which % len(SHAPES), which // len(SHAPES), found


def _places(image_size, side):
    """Returns the rows and columns where the upper left corner of an object may be."""
    size = _object_size(image_size)
    margin = max(1, image_size // 32)
    shift = round(_SHIFT * image_size)
    tops = np.arange(margin, image_size - size - margin + 1)
    lefts = np.arange(margin, margin + shift + 1)
    if side == 1:
        lefts = (image_size - size - lefts)[::-1]
    return tops, lefts


def _object_size(image_size):
    return round(_SIZE * image_size)


@functools.lru_cache(maxsize=4)
def _masks(image_size):
    """Returns how far each shape covers its pixels: float32 `(shapes, s, s)`."""
    return np.stack([_mask(shape, _object_size(image_size)) for shape in SHAPES])


def _mask(shape, size):
    """Draws one of `_masks`: float32 `(size, size)`."""
    fine = size * _OVERSAMPLING
    line = (np.arange(fine) + 0.5) / fine * 2 - 1  # -1 to 1
    y, x = np.meshgrid(line, line, indexing="ij")
    inside = {
        "disc": x**2 + y**2 <= 1,
        "square": np.maximum(abs(x), abs(y)) <= 0.85,
        "triangle": abs(x) <= (y + 1) / 2,
        "cross": np.minimum(abs(x), abs(y)) <= 0.28,
    }[shape]
    blocks = inside.reshape(size, _OVERSAMPLING, size, _OVERSAMPLING)
    return blocks.mean(axis=(1, 3), dtype=np.float32)
