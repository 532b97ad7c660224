"""Zero-centred gradient penalties of the discriminator: R1 and R2.

`gamma / 2` times the mean over a batch of `|grad D|^2`: the gradient of a logit by the
image that D was given (after augmentation, in [-1, 1]), its squares added up over
pixels and channels. R1 is that of real images, R2 that of generated ones.

Images, their gradients and the sums are float32 (float64 under that policy), also under
mixed_bfloat16, where D's layers compute in bfloat16 in between, forward and backward.

References:
    - [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), equations 9 and 10
    - [Huang et al., 2024](https://arxiv.org/abs/2501.05441): both, at every step
"""

import tensorflow as tf

from keras_sagan.training import passes

R1, R2 = "r1_penalty", "r2_penalty"
NAMES = (R1, R2)


def discriminate_penalized(discriminator, batch, fakes, settings):
    """Real and fake logits of a training pass, and what is penalised of it.

    Both penalties share one pass and one gradient of it. With one of them the images
    that need no gradient have a pass of their own, with none this is
    `passes.discriminate_pair`: no gradient is taken.

    Args:
        discriminator: `Discriminator`.
        batch: `passes.Batch`, its images as D sees them.
        fakes: float tensor `(n, H, W, C)`, as D sees them.
        settings: with `r1_gamma` and `r2_gamma`.

    Returns: real logits, fake logits, and a dict from `NAMES` to the scalar mean of
        `|grad D|^2`, of those whose gamma is not 0.
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
    """Logits of a training pass, and the squared norms of their gradients by image.

    D has no batch norm: a logit depends on its own image only, so that one gradient of
    their sum has those of all of them.

    Args:
        discriminator: `Discriminator`.
        images: float tensor `(n, H, W, C)`.
        labels: int32 tensor `(n,)`, or None.

    Returns: logits `(n, 1)`; squared norms `(n,)`, float32 or wider.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = passes.discriminate(discriminator, images, labels, training=True)
        total = tf.reduce_sum(logits)
    slopes = tape.gradient(total, images)
    return logits, tf.reduce_sum(tf.square(slopes), axis=(1, 2, 3))


def weigh(penalties, settings):
    """`gamma / 2` of each penalty, added up.

    Args:
        penalties: dict, as `discriminate_penalized` returns it.
        settings: with `r1_gamma` and `r2_gamma`.

    Returns: scalar tensor, or 0.0 without penalties.
    """
    gammas = {R1: settings.r1_gamma, R2: settings.r2_gamma}
    return sum((gammas[name] / 2 * x for name, x in penalties.items()), 0.0)


def names(settings):
    """Those that are on: tuple of str."""
    gammas = settings.r1_gamma, settings.r2_gamma
    return tuple(name for name, g in zip(NAMES, gammas, strict=True) if g > 0)
