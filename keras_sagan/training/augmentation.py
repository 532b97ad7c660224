"""Augmentation of what the discriminator sees, for small data sets.

With few pictures the discriminator learns them by heart. Both policies show it
changed copies of real *and* generated images, in both networks' steps, so that the
generator still learns the pictures as they are:

- "diffaugment": every image is changed (Zhao et al., 2020).
- "ada": an image is changed with a probability that follows how far the
  discriminator overfits (Karras et al., 2020); see `adaptive`, `transformations`.

All of it is differentiable, runs in float32 (float64 under that policy), and is a
function of (seed, purpose, step, index in the global batch). Images: `(n, H, W, C)` in
[-1, 1]; colours of 3 channels or 1 change, an alpha channel does not; results may leave
[-1, 1], as in the published code.

References:
    - [Zhao et al., 2020](https://arxiv.org/abs/2006.10738) and its `DiffAugment_tf.py`
    - [Karras et al., 2020](https://arxiv.org/abs/2006.06676)
"""

import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.config.data import AugmentationConfig
from keras_sagan.training import ada_transformations

# Random numbers an image.
DIFFAUGMENT_DRAWS = {"color": 3, "translation": 2, "cutout": 2}
_MIRROR_DRAWS = 1

_TRANSLATION = 0.125  # of the side, each way
_CUTOUT = 0.5  # of the side
_REAL, _FAKE = 0, 1  # draws of a purpose


def resolve(value):
    """An `AugmentationConfig`, or None for no augmentation.

    Args:
        value: None, the name of a policy, an `AugmentationConfig`, or what its
            `to_dict` gives.

    Raises:
        ValueError: if it is none of these.
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
    """Random numbers for the images of a step: those of real and of generated ones.

    Args:
        config: `AugmentationConfig` or None.
        seed: int.
        purpose: `Purpose`.
        step: int scalar tensor.
        rows: callable that cuts this replica's rows out of the global batch's; it
            is given a function from the row count to a tensor.
        real_too: bool. Whether the step looks at real images.

    Returns: pair of float32 tensors `(n, draws)`, None where there is nothing to draw.
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
    """A `passes.Batch` with its images as the discriminator sees them.

    Args:
        networks: `steps.Networks`.
        settings: `steps.StepSettings`.
        batch: `passes.Batch`.
    """
    config, probability = settings.augmentation, networks.augmentation_probability
    images = augment_real(config, batch.images, batch.real_draws, probability)
    return batch._replace(images=images)


def show_fakes(networks, settings, batch, fakes):
    """The generated images of `batch` as the discriminator sees them.

    Args:
        networks, settings, batch: as for `show_real`.
        fakes: float tensor `(n, H, W, C)`.
    """
    probability = networks.augmentation_probability
    return augment(settings.augmentation, fakes, batch.fake_draws, probability)


def augment_real(config, images, uniform, probability):
    """Real images as the discriminator sees them; see `augment`."""
    if config is None:
        return images
    images = _computable(images)
    if config.mirror:
        turned = uniform[:, 0, tf.newaxis, tf.newaxis, tf.newaxis] < 0.5
        images = tf.where(turned, images[:, :, ::-1], images)
        uniform = uniform[:, _MIRROR_DRAWS:]
    return augment(config, images, uniform, probability)


def augment(config, images, uniform, probability):
    """Images as the discriminator sees them.

    Args:
        config: `AugmentationConfig` or None.
        images: float tensor `(n, H, W, C)`.
        uniform: float32 tensor `(n, draws)` out of `draw`.
        probability: float scalar tensor. Of each change, for "ada".
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
    """Zhao et al.'s transformations, in the order color, translation, cutout.

    Args:
        images: float tensor `(n, H, W, C)`.
        uniform: tensor `(n, draws)` of the same dtype, `DIFFAUGMENT_DRAWS` of each
            operation.
        operations: tuple of names out of `DIFFAUGMENT_DRAWS`.
    """
    functions = {"color": color, "translation": translation, "cutout": cutout}
    start = 0
    for name in operations:
        stop = start + DIFFAUGMENT_DRAWS[name]
        images = functions[name](images, uniform[:, start:stop])
        start = stop
    return images


def color(images, uniform):
    """Brightness +-0.5, saturation x0 to x2, contrast x0.5 to x1.5, in this order."""
    colors, alpha = ada_transformations.split_alpha(images)
    brightness, saturation, contrast = _columns(uniform)
    colors += brightness - 0.5
    mean = tf.reduce_mean(colors, axis=3, keepdims=True)
    colors = (colors - mean) * (2.0 * saturation) + mean
    mean = tf.reduce_mean(colors, axis=(1, 2, 3), keepdims=True)
    colors = (colors - mean) * (contrast + 0.5) + mean
    return tf.concat([colors, *alpha], axis=3)


def translation(images, uniform):
    """Moves by whole pixels, up to an eighth of the side each way; zeros come in.

    As a product with 0/1 matrices: exact, and so is its gradient, in any order of
    summation.
    """
    height, width = images.shape[1:3]
    rows = _shift_matrix(uniform[:, 0], height, images.dtype)
    columns = _shift_matrix(uniform[:, 1], width, images.dtype)
    images = tf.einsum("nyi,nijc->nyjc", rows, images)
    return tf.einsum("nxj,nyjc->nyxc", columns, images)


def cutout(images, uniform):
    """A square of half the side becomes zero; its centre lies anywhere."""
    height, width = images.shape[1:3]
    rows = _inside(uniform[:, 0], height)[:, :, tf.newaxis]
    columns = _inside(uniform[:, 1], width)[:, tf.newaxis, :]
    hole = tf.logical_and(rows, columns)[..., tf.newaxis]
    return tf.where(hole, tf.zeros_like(images), images)


def _shift_matrix(uniform, size, dtype):
    """`(n, size, size)`: row `y` picks pixel `y + shift`, or nothing."""
    most = int(size * _TRANSLATION + 0.5)
    shift = tf.cast(tf.floor(uniform * (2 * most + 1)), tf.int32) - most
    positions = tf.range(size)
    wanted = positions[:, tf.newaxis] + shift[:, tf.newaxis, tf.newaxis]
    return tf.cast(tf.equal(wanted, positions), dtype)


def _inside(uniform, size):
    """`(n, size)`: whether a position lies in the hole."""
    length = int(size * _CUTOUT + 0.5)
    centers = tf.cast(tf.floor(uniform * (size + 1 - length % 2)), tf.int32)
    start = (centers - length // 2)[:, tf.newaxis]
    positions = tf.range(size)
    return tf.logical_and(positions >= start, positions < start + length)


def _columns(uniform):
    """Each column of `(n, k)` as a tensor `(n, 1, 1, 1)`."""
    return [
        column[:, tf.newaxis, tf.newaxis, tf.newaxis]
        for column in tf.unstack(uniform, axis=1)
    ]


def _computable(images):
    """The images in float32, or in float64 where they are."""
    return images if images.dtype == tf.float64 else tf.cast(images, tf.float32)


def _width(config):
    tables = {"diffaugment": DIFFAUGMENT_DRAWS, "ada": ada_transformations.DRAWS}
    return sum(tables[config.policy][name] for name in config.selected_operations)
