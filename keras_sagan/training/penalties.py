"""Zero-centred gradient penalties of the discriminator, R1 and R2.

A penalty is `gamma / 2` times the mean over a batch of `|grad D|^2`, that is, of the
gradient of a logit with respect to the image that D is given (after augmentation, in
[-1, 1]), with its squares summed over pixels and channels. R1 is the penalty for real
images, R2 that for generated ones.

Images, their gradients and the sums are float32 (float64 under that policy). That holds
under mixed_bfloat16 too, where only the layers of D in between compute in bfloat16,
forward and backward.

References:
    - [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), equations 9 and 10
    - [Huang et al., 2024](https://arxiv.org/abs/2501.05441): both, at every step
"""

import tensorflow as tf

from keras_sagan.training import passes

R1, R2 = "r1_penalty", "r2_penalty"
NAMES = (R1, R2)


def discriminate_penalized(discriminator, batch, fakes, settings):
    """Returns the logits of a training pass, and the squared gradients to penalise.

    If both penalties are on, they share one pass and one gradient. If one of them is
    on, the other images, which need no gradient, have a pass of their own. If none is
    on, this is `passes.discriminate_pair`.

    Args:
        discriminator: `Discriminator`.
        batch: `passes.Batch` with augmented real images.
        fakes: float tensor `(n, H, W, C)`, augmented generated images.
        settings: object with `r1_gamma` and `r2_gamma`.

    Returns: tuple of real logits, fake logits, and a dict from those `NAMES` whose
        gamma is not 0 to the scalar mean of `|grad D|^2`.
    """
    with_r1, with_r2 = settings.r1_gamma > 0, settings.r2_gamma > 0
    if with_r1 and with_r2:
        logits, squares = logits_and_slopes(discriminator, *passes.join(batch, fakes))
        r1, r2 = passes.halves(squares)
        return *passes.halves(logits), {R1: tf.reduce_mean(r1), R2: tf.reduce_mean(r2)}
    real = tf.cast(batch.images, fakes.dtype), batch.labels
    fake = fakes, batch.fake_labels
    if with_r1:
        real, squares = logits_and_slopes(discriminator, *real)
        fake = passes.discriminate(discriminator, *fake, training=True)
        return real, fake, {R1: tf.reduce_mean(squares)}
    if with_r2:
        real = passes.discriminate(discriminator, *real, training=True)
        fake, squares = logits_and_slopes(discriminator, *fake)
        return real, fake, {R2: tf.reduce_mean(squares)}
    return *passes.discriminate_pair(discriminator, batch, fakes, training=True), {}


def logits_and_slopes(discriminator, images, labels):
    """Returns the logits of a training pass and the squared norms of their gradients.

    D has no batch norm, so that a logit depends only on its own image. The gradient of
    the sum of all logits therefore consists of the gradients of the single ones.

    Args:
        discriminator: `Discriminator`.
        images: float tensor `(n, H, W, C)`.
        labels: int32 tensor `(n,)`, or None.

    Returns: tuple of the logits `(n, 1)` and the squared norms `(n,)` of the gradients
        with respect to the images, float32 or wider.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = passes.discriminate(discriminator, images, labels, training=True)
        total = tf.reduce_sum(logits)
    slopes = tape.gradient(total, images)
    return logits, tf.reduce_sum(tf.square(slopes), axis=(1, 2, 3))


def weigh(penalties, settings):
    """Sums up the penalties, each multiplied by `gamma / 2`.

    Args:
        penalties: dict, returned by `discriminate_penalized`.
        settings: object with `r1_gamma` and `r2_gamma`.

    Returns: scalar tensor, or 0.0 if there are no penalties.
    """
    gammas = {R1: settings.r1_gamma, R2: settings.r2_gamma}
    return sum((gammas[name] / 2 * x for name, x in penalties.items()), 0.0)


def names(settings):
    """Returns the names of the penalties that are on, a tuple of str."""
    gammas = settings.r1_gamma, settings.r2_gamma
    return tuple(name for name, g in zip(NAMES, gammas, strict=True) if g > 0)
