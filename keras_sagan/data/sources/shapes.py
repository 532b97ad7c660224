"""The embedded data set for studies of attention: two objects far apart that match.

One object stands at the left edge of the image, one at the right, at heights of their
own. Both have the same shape and the same colour. The class is a pair of shapes, of
which the image shows one, twice: a generator that draws the right class must still
make the two agree, and it must do so across the image. The two discs of "disc+cross"
agree; a disc beside a cross does not, though each of them is in the class.

Every image is a pure function of (split, index, image size). Objects stand at whole
pixels, so that `nearest` can find again, exactly, what an image was drawn from.
"""

import functools
import itertools
import typing

import numpy as np

from keras_sagan.data.sources.glyphs import COLORS

SHAPES = ("disc", "square", "triangle", "cross")
PAIRS = tuple(itertools.combinations(range(len(SHAPES)), 2))
CLASS_NAMES = tuple("+".join(SHAPES[shape] for shape in pair) for pair in PAIRS)

# Examples a split: 2,000 and 400 of each class.
SPLIT_SIZES = {"train": 12_000, "test": 2_400}

_SPLIT_SEEDS = {"train": 20_190_611, "test": 20_190_612}

_SIZE = 0.3  # of an object, of the image
_SHIFT = 0.06  # most distance from the margin, of the image
_OVERSAMPLING = 16
_FOUND = 0.5  # share of an image half's energy that a found object explains


class Objects(typing.NamedTuple):
    """The object of each image on each side: arrays `(n, 2)`, left, then right.

    Attributes:
        shapes: int. Index into `SHAPES`.
        colors: int. Index into `COLORS`.
        found: bool. Whether the side holds an object at all.
    """

    shapes: np.ndarray
    colors: np.ndarray
    found: np.ndarray


class Agreement(typing.NamedTuple):
    """What each image keeps of the rule: bool arrays `(n,)`.

    Attributes:
        color: both objects are there and have one colour.
        shape: both are there and have one shape.
        both: both of the above.
        label: each of the two shapes is one of the class's pair; `None` without
            labels.
    """

    color: np.ndarray
    shape: np.ndarray
    both: np.ndarray
    label: np.ndarray | None


def render(split, index, image_size):
    """Draws one example.

    Args:
        split: str. "train" or "test"; their draws differ.
        index: int >= 0. The label is `index % 6`.
        image_size: int. Height and width in pixels.

    Returns:
        `(image, label)`: uint8 array `(image_size, image_size, 3)` and int.
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
    """The object on either side that comes nearest to each image.

    Of all shapes, colours and places that `render` uses, the one with the smallest
    squared error to the half of the image. Exact on images of the data set.

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
    """Whether the two objects of each image match; a pure function of the images.

    Args:
        images: uint8 array `(n, S, S, 3)`.
        labels: integers `(n,)`, or `None`.

    Returns:
        `Agreement`; the mean of a field is the share of images that keep the rule. All
        are 1 on the data set. Two sides drawn independently, each after the class,
        have `color` 1/6, `shape` 1/2 and `both` 1/12.
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
    """Shapes, colours and found of one side: arrays `(n,)`."""
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
    # |x - o|^2 = |x|^2 - gain: the largest gain is nearest. o = color * mask.
    colors = np.array(COLORS, np.float32)  # (colors, 3)
    own = np.outer((colors**2).sum(axis=1), (masks**2).sum(axis=(1, 2)))
    gain = (2 * np.einsum("npcs,kc->npks", products, colors) - own).max(axis=1)
    which = gain.reshape(count, -1).argmax(axis=1)
    energy = (part**2).sum(axis=(1, 2, 3))
    found = gain.max(axis=(1, 2)) > _FOUND * np.maximum(energy, 1)
    return which % len(SHAPES), which // len(SHAPES), found


def _places(image_size, side):
    """Rows and columns at which an object's upper left corner may be: two ranges."""
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
    """Coverage of each pixel of an object's square: float32 `(shapes, s, s)`."""
    return np.stack([_mask(shape, _object_size(image_size)) for shape in SHAPES])


def _mask(shape, size):
    """One of `_masks`: float32 `(size, size)`."""
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
