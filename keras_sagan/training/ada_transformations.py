"""The transformations of adaptive discriminator augmentation (ADA).

They are those of Karras et al.'s best pipeline, "bgc": pixel blitting, general
geometric transformations and colour transformations, each applied with probability p.
For every image they are combined into one affine map of positions and one of colours.
There are two differences from the published code: images are resampled bilinearly
(there: with wavelet filters at twice the resolution), and positions outside the image
are mirrored without a limit.

Reference: [Karras et al., 2020](https://arxiv.org/abs/2006.06676), appendix B, and
`training/augment.py` of its code.
"""

import numpy as np
import tensorflow as tf

# Random numbers per image that each operation needs.
DRAWS = {"blit": 7, "geometric": 11, "color": 10}

# Of the side: largest shift by whole pixels, standard deviation of fractional ones.
_TRANSLATION = 0.125
_SCALE = 0.2  # standard deviation of log2, for isotropic and anisotropic scaling
# Standard deviations; those of contrast and saturation are of log2.
_BRIGHTNESS, _CONTRAST, _SATURATION = 0.2, 0.5, 1.0


def transform(images, uniform, probability, operations):
    """Applies random transformations to images.

    Images for which no transformation is drawn are unchanged.

    Args:
        images: float tensor `(n, S, S, C)` in [-1, 1].
        uniform: tensor `(n, draws)` of the same dtype, with `DRAWS` numbers in (0, 1)
            for each operation.
        probability: scalar tensor of the same dtype. Probability of every single
            transformation.
        operations: tuple of names from `DRAWS`, in the same order.

    Returns: tensor like `images`.
    """
    columns = iter(tf.unstack(uniform, axis=1))
    position = []
    if "blit" in operations:
        position += _blit(columns, probability, images.shape[1])
    if "geometric" in operations:
        position += _geometric(columns, probability, images.shape[1])
    if position:
        images = sample(images, _product(position))
    if "color" in operations:
        images = recolor(images, _product(_color(columns, probability)[::-1]))
    return images


# === Positions: maps from a pixel of the result to its place in the image ===
def _blit(columns, p, size):
    flip = _chosen(columns, p, lambda u: tf.where(u < 0.5, -1.0, 1.0), 1.0)
    quarters = _chosen(columns, p, lambda u: tf.floor(4.0 * u), 0.0)
    turned = tf.cast(quarters, tf.int32)
    # Exact values, so that quarter turns map pixels to pixels.
    cos = tf.gather(tf.constant([1, 0, -1, 0], flip.dtype), turned)
    sin = tf.gather(tf.constant([0, 1, 0, -1], flip.dtype), turned)
    most = int(size * _TRANSLATION)

    def pixels(u):
        return tf.floor(u * (2 * most + 1)) - most

    x, y = _chosen_pair(columns, p, pixels)
    return [_scaling(flip, tf.ones_like(flip)), _turn(cos, sin), _shift(x, y)]


def _geometric(columns, p, size):
    def power(u):
        return 2.0 ** (_SCALE * tf.math.ndtri(u))

    def angle(u):
        return 2.0 * np.pi * u - np.pi

    # There are two rotations, one before and one after the stretching. With this
    # probability for each, p is the probability of at least one.
    once = 1.0 - tf.sqrt(1.0 - p)
    scale = _chosen(columns, p, power, 1.0)
    before = _chosen(columns, once, angle, 0.0)
    stretch = _chosen(columns, p, power, 1.0)
    after = _chosen(columns, once, angle, 0.0)

    def share(u):
        return _TRANSLATION * size * tf.math.ndtri(u)

    x, y = _chosen_pair(columns, p, share)
    return [
        _scaling(1.0 / scale, 1.0 / scale),
        _turn(tf.cos(before), tf.sin(before)),
        _scaling(1.0 / stretch, stretch),
        _turn(tf.cos(after), tf.sin(after)),
        _shift(x, y),
    ]


def sample(images, maps):
    """Resamples images with affine maps.

    Between pixels, an image is interpolated bilinearly; outside of it, it is mirrored
    at its border pixels.

    Args:
        images: float tensor `(n, S, S, C)`.
        maps: tensor `(n, 3, 3)`. Each maps `(x, y, 1)` of a pixel of the result, in
            pixels from the centre, to its place in the image.

    Returns: tensor like `images`.
    """
    size = images.shape[1]
    line = tf.cast(tf.range(size), images.dtype) - (size - 1) / 2
    y, x = tf.meshgrid(line, line, indexing="ij")
    grid = tf.reshape(tf.stack([x, y, tf.ones_like(x)]), (3, size * size))
    place = tf.matmul(maps[:, :2], grid) + (size - 1) / 2  # (n, 2, S*S)
    first = tf.floor(place)
    share = place - first
    first = tf.cast(first, tf.int32)
    low, high = _mirrored(first, size), _mirrored(first + 1, size)
    left, top, right, bottom = low[:, 0], low[:, 1], high[:, 0], high[:, 1]
    corners = tf.stack(
        [
            top * size + left,
            top * size + right,
            bottom * size + left,
            bottom * size + right,
        ],
        axis=2,
    )  # (n, S*S, 4)
    x, y = share[:, 0], share[:, 1]
    weights = tf.stack(
        [(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], axis=2
    )  # (n, S*S, 4)
    pixels = tf.reshape(images, (-1, size * size, images.shape[3]))
    values = tf.gather(pixels, corners, batch_dims=1)  # (n, S*S, 4, C)
    result = tf.reduce_sum(values * weights[..., tf.newaxis], axis=2)
    return tf.reshape(result, tf.shape(images))


def _mirrored(index, size):
    """Maps any integer to a valid index by mirroring at the first and last pixel."""
    period = 2 * (size - 1)
    index = tf.math.floormod(index, period)
    return tf.minimum(index, period - index)


# === Colours: maps of (r, g, b, 1), applied in this order ===
def _color(columns, p):
    def normal(deviation):
        return lambda u: deviation * tf.math.ndtri(u)

    def power(deviation):
        return lambda u: 2.0 ** (deviation * tf.math.ndtri(u))

    brightness = _chosen(columns, p, normal(_BRIGHTNESS), 0.0)
    contrast = _chosen(columns, p, power(_CONTRAST), 1.0)
    flip = _chosen(columns, p, lambda u: tf.where(u < 0.5, 1.0, 0.0), 0.0)
    hue = _chosen(columns, p, lambda u: 2.0 * np.pi * u - np.pi, 0.0)
    saturation = _chosen(columns, p, power(_SATURATION), 1.0)
    dtype = brightness.dtype
    one = tf.eye(4, dtype=dtype)
    grey = np.full((3, 3), 1 / 3)  # projection onto the grey axis, r = g = b
    luma = tf.constant(np.pad(grey, (0, 1)), dtype)
    corner = tf.constant(np.diag([0.0, 0, 0, 1]), dtype)
    offset = tf.constant(np.outer([1.0, 1, 1, 0], [0, 0, 0, 1]), dtype)
    # Cross product with the grey axis, for rotations about it (Rodrigues' formula).
    axis = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3.0)
    cross = tf.constant(np.pad(axis, (0, 1)), dtype)
    chroma = one - luma - corner

    def times(scalars, matrix):
        return scalars[:, tf.newaxis, tf.newaxis] * matrix

    return [
        one + times(brightness, offset),
        one + times(contrast - 1.0, one - corner),
        one - times(2.0 * flip, luma),
        one + times(tf.cos(hue) - 1.0, chroma) + times(tf.sin(hue), cross),
        one + times(saturation - 1.0, chroma),
    ]


def recolor(images, maps):
    """Applies a colour map `(n, 4, 4)` to each image; leaves alpha channels alone."""
    colors, alpha = split_alpha(images)
    if colors.shape[3] == 1:  # as r = g = b, of whose results this is the mean
        scale = tf.reduce_sum(maps[:, :3, :3], axis=(1, 2)) / 3.0
        offset = tf.reduce_mean(maps[:, :3, 3], axis=1)
        colors = colors * _cube(scale) + _cube(offset)
    else:
        colors = tf.einsum("nij,nyxj->nyxi", maps[:, :3, :3], colors)
        colors += maps[:, tf.newaxis, tf.newaxis, :3, 3]
    return tf.concat([colors, *alpha], axis=3)


def split_alpha(images):
    """Returns the colour channels, and a list of the alpha channel, if there is one."""
    if images.shape[3] == 4:
        return images[..., :3], [images[..., 3:]]
    return images, []


# === Draws and 3 x 3 matrices ===
def _chosen(columns, probability, value, otherwise):
    """Returns `value(u)` with a probability, else `otherwise`; takes two columns."""
    gate, uniform = next(columns), next(columns)
    value = tf.cast(value(uniform), gate.dtype)
    return tf.where(gate < probability, value, tf.constant(otherwise, gate.dtype))


def _chosen_pair(columns, probability, value):
    """Returns two values, with a probability, or two zeros; takes three columns."""
    gate, first, second = next(columns), next(columns), next(columns)
    is_on = gate < probability
    return [tf.where(is_on, value(u), tf.zeros_like(u)) for u in (first, second)]


def _product(matrices):
    """Multiplies matrices `(n, k, k)` from left to right."""
    result = matrices[0]
    for matrix in matrices[1:]:
        result = tf.matmul(result, matrix)
    return result


def _matrix(a, b, c, d, x, y):
    zero, one = tf.zeros_like(x), tf.ones_like(x)
    rows = [[a, b, x], [c, d, y], [zero, zero, one]]
    return tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)


def _scaling(x, y):
    zero = tf.zeros_like(x)
    return _matrix(x, zero, zero, y, zero, zero)


def _turn(cos, sin):
    zero = tf.zeros_like(cos)
    return _matrix(cos, sin, -sin, cos, zero, zero)


def _shift(x, y):
    zero, one = tf.zeros_like(x), tf.ones_like(x)
    return _matrix(one, zero, zero, one, x, y)


def _cube(scalars):
    return scalars[:, tf.newaxis, tf.newaxis, tf.newaxis]
