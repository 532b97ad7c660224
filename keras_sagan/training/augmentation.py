"""Augments the images that the discriminator sees, for small data sets.

A discriminator that is trained on few images memorises them. Both policies show it
transformed copies of real *and* generated images in the steps of both networks, so that
the generator still learns the images as they are:

- "diffaugment": every image is transformed (Zhao et al., 2020).
- "ada": an image is transformed with a probability that depends on how much the
  discriminator overfits (Karras et al., 2020); see `state` and `ada_transformations`.

Everything is differentiable, runs in float32 (float64 under that policy), and is a
function of the seed, the purpose, the step and the index in the global batch. Images
are `(n, H, W, C)` in [-1, 1] with 1 or 3 colour channels, which may be transformed, and
possibly an alpha channel, whose values are not. Results may leave [-1, 1], as in the
published code.

References:
    - [Zhao et al., 2020](https://arxiv.org/abs/2006.10738) and its `DiffAugment_tf.py`
    - [Karras et al., 2020](https://arxiv.org/abs/2006.06676)
"""

import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.config.data import AugmentationConfig
from keras_sagan.training import ada_transformations

# Random numbers per image that each operation needs.
DIFFAUGMENT_DRAWS = {"color": 3, "translation": 2, "cutout": 2}
_MIRROR_DRAWS = 1

_TRANSLATION = 0.125  # of the side, in each direction
_CUTOUT = 0.5  # of the side
_REAL, _FAKE = 0, 1  # the two draws of a purpose


def resolve(value):
    """Converts an argument to an `AugmentationConfig`, or None for no augmentation.

    Args:
        value: None, the name of a policy, an `AugmentationConfig`, or the dict of its
            `to_dict`.

    Raises:
        ValueError: if it is anything else.
    """
    if isinstance(value, str):
        value = AugmentationConfig(policy=value)
    elif isinstance(value, dict):
        value = AugmentationConfig.from_dict(value)
    if value is not None and not isinstance(value, AugmentationConfig):
        raise ValueError(
            "`augmentation` must be None, 'diffaugment', 'ada' or an "
            f"`AugmentationConfig`. Received: augmentation={value!r}."
        )
    return value if value and (value.policy or value.mirror) else None


def draw(config, seed, purpose, step, rows, real_too=True):
    """Draws the random numbers for augmenting the images of a step.

    Args:
        config: `AugmentationConfig` or None.
        seed: int.
        purpose: `Purpose`.
        step: int scalar tensor.
        rows: function that is called with a function from a row count to a tensor, and
            returns the rows of this replica out of those of the global batch.
        real_too: bool. Whether the step uses real images.

    Returns: tuple of two float32 tensors `(n, draws)`, for real and for generated
        images. Each is None if there is nothing to draw.
    """
    if config is None:
        return None, None
    width = _width(config)

    def one(which, width):
        if not width:
            return None
        return rows(
            lambda count: sampling.batch_uniform(
                seed, purpose, which, step, count, width
            )
        )

    real = None
    if real_too:
        real = one(_REAL, width + _MIRROR_DRAWS * config.mirror)
    return real, one(_FAKE, width)


def show_real(networks, settings, batch):
    """Augments the real images of a `passes.Batch`; returns the new batch.

    Args:
        networks: `steps.Networks`.
        settings: `steps.StepSettings`.
        batch: `passes.Batch`.
    """
    config, probability = settings.augmentation, networks.augmentation_probability
    images = augment_real(config, batch.images, batch.real_draws, probability)
    return batch._replace(images=images)


def show_fakes(networks, settings, batch, fakes):
    """Augments the generated images of a batch.

    Args:
        networks, settings, batch: as for `show_real`.
        fakes: float tensor `(n, H, W, C)`.
    """
    probability = networks.augmentation_probability
    return augment(settings.augmentation, fakes, batch.fake_draws, probability)


def augment_real(config, images, uniform, probability):
    """Augments real images: mirrors half of them if so configured, then `augment`."""
    if config is None:
        return images
    images = _computable(images)
    if config.mirror:
        half = uniform[:, 0, tf.newaxis, tf.newaxis, tf.newaxis] < 0.5
        images = tf.where(half, images[:, :, ::-1], images)
        uniform = uniform[:, _MIRROR_DRAWS:]
    return augment(config, images, uniform, probability)


def augment(config, images, uniform, probability):
    """Augments images.

    Args:
        config: `AugmentationConfig` or None.
        images: float tensor `(n, H, W, C)`.
        uniform: float32 tensor `(n, draws)`, returned by `draw`.
        probability: float scalar tensor. Probability of each transformation, for "ada".

    Returns: tensor like `images`, in float32 or wider if there is any augmentation.
    """
    if config is None or config.policy is None:
        return images
    images = _computable(images)
    uniform = tf.cast(uniform, images.dtype)
    if config.policy == "ada":
        probability = tf.cast(probability, images.dtype)
        return ada_transformations.transform(
            images, uniform, probability, config.selected_operations
        )
    return diff_augment(images, uniform, config.selected_operations)


# === DiffAugment ===
def diff_augment(images, uniform, operations):
    """Applies Zhao et al.'s transformations.

    Args:
        images: float tensor `(n, H, W, C)`.
        uniform: tensor `(n, draws)` of the same dtype, with `DIFFAUGMENT_DRAWS` numbers
            in (0, 1) for each operation.
        operations: tuple of names from `DIFFAUGMENT_DRAWS`, in the same order.
    """
    functions = {"color": color, "translation": translation, "cutout": cutout}
    start = 0
    for name in operations:
        stop = start + DIFFAUGMENT_DRAWS[name]
        images = functions[name](images, uniform[:, start:stop])
        start = stop
    return images


def color(images, uniform):
    """Changes brightness by +-0.5, saturation by x0 to x2, contrast by x0.5 to x1.5."""
    colors, alpha = ada_transformations.split_alpha(images)
    brightness, saturation, contrast = _columns(uniform)
    colors += brightness - 0.5
    mean = tf.reduce_mean(colors, axis=3, keepdims=True)
    colors = (colors - mean) * (2.0 * saturation) + mean
    mean = tf.reduce_mean(colors, axis=(1, 2, 3), keepdims=True)
    colors = (colors - mean) * (contrast + 0.5) + mean
    return tf.concat([colors, *alpha], axis=3)


def translation(images, uniform):
    """Shifts images by up to an eighth of the side in each direction; fills with zeros.

    The shifts are by whole pixels, computed as products with matrices of 0 and 1. These
    and their gradients are exact, whatever the order of summation.
    """
    height, width = images.shape[1:3]
    rows = _shift_matrix(uniform[:, 0], height, images.dtype)
    columns = _shift_matrix(uniform[:, 1], width, images.dtype)
    images = tf.einsum("nyi,nijc->nyjc", rows, images)
    return tf.einsum("nxj,nyjc->nyxc", columns, images)


def cutout(images, uniform):
    """Sets a square of half the side to zero; its centre may be at any pixel."""
    height, width = images.shape[1:3]
    rows = _inside(uniform[:, 0], height)[:, :, tf.newaxis]
    columns = _inside(uniform[:, 1], width)[:, tf.newaxis, :]
    hole = tf.logical_and(rows, columns)[..., tf.newaxis]
    return tf.where(hole, tf.zeros_like(images), images)


def _shift_matrix(uniform, size, dtype):
    """Returns matrices `(n, size, size)` whose row `y` picks pixel `y + shift`.

    A row is zero if that pixel is outside of the image.
    """
    most = int(size * _TRANSLATION + 0.5)
    shift = tf.cast(tf.floor(uniform * (2 * most + 1)), tf.int32) - most
    positions = tf.range(size)
    wanted = positions[:, tf.newaxis] + shift[:, tf.newaxis, tf.newaxis]
    return tf.cast(tf.equal(wanted, positions), dtype)


def _inside(uniform, size):
    """Returns a bool tensor `(n, size)`: which positions lie in the square."""
    length = int(size * _CUTOUT + 0.5)
    centers = tf.cast(tf.floor(uniform * (size + 1 - length % 2)), tf.int32)
    start = (centers - length // 2)[:, tf.newaxis]
    positions = tf.range(size)
    return tf.logical_and(positions >= start, positions < start + length)


def _columns(uniform):
    """Splits a tensor `(n, k)` into columns of shape `(n, 1, 1, 1)`."""
    return [
        column[:, tf.newaxis, tf.newaxis, tf.newaxis]
        for column in tf.unstack(uniform, axis=1)
    ]


def _computable(images):
    """Converts images to float32 unless they are float64."""
    return images if images.dtype == tf.float64 else tf.cast(images, tf.float32)


def _width(config):
    tables = {"diffaugment": DIFFAUGMENT_DRAWS, "ada": ada_transformations.DRAWS}
    return sum(tables[config.policy][name] for name in config.selected_operations)
