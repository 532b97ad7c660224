"""The training step of a GAN, as pure functions.

A step consists of `discriminator_steps` updates of D and then one of G, as in StudioGAN
(the official code updates G first). The caller updates the average of the weights after
it. The spectral norm vectors of a network advance once before each of its updates, and
stay fixed during all forward passes.
"""

import dataclasses
import math
import typing

import keras
import tensorflow as tf

from keras_sagan import losses, sampling
from keras_sagan.config.data import AugmentationConfig
from keras_sagan.config.training import StepConfig
from keras_sagan.layers.spectral_normalization import (
    advance_spectral_norm,
    frozen_spectral_norm,
)
from keras_sagan.sampling import Purpose
from keras_sagan.training import augmentation, passes, penalties
from keras_sagan.training.optimizers import gradients, sum_gradients
from keras_sagan.training.passes import Batch


class Networks(typing.NamedTuple):
    """The two networks, their optimizers, and the probability of augmentations."""

    generator: keras.Model
    discriminator: keras.Model
    g_optimizer: keras.optimizers.Optimizer
    d_optimizer: keras.optimizers.Optimizer
    augmentation_probability: tf.Tensor | None = None


@dataclasses.dataclass(frozen=True)
class StepSettings(StepConfig):
    """The arguments of `SAGAN.compile` that concern the step."""

    augmentation: AugmentationConfig | None = None
    fake_label_weights: tuple[float, ...] | None = None
    _owner = "compile"

    def __post_init__(self):
        resolved = augmentation.resolve(self.augmentation)
        object.__setattr__(self, "augmentation", resolved)
        super().__post_init__()

    def check(self):
        weights = self.fake_label_weights
        self.require(
            weights is None
            or (min(weights, default=-1) >= 0 and 0 < sum(weights) < math.inf),
            "fake_label_weights",
            "numbers >= 0, one per class, not all 0",
        )
        self.require(  # ADA reads overfitting off the signs of D's logits
            not (self.augmentation and self.augmentation.policy == "ada")
            or self.loss in ("hinge", "non_saturating"),
            "loss",
            "'hinge' or 'non_saturating' with the augmentation 'ada', which needs a "
            "loss whose decision is at 0",
        )

    @property
    def parts(self):
        """int. Number of sub-batches into which the data of a step are split."""
        return self.discriminator_steps * self.gradient_accumulation_steps


def train_step(networks, settings, images, labels, step):
    """Updates D `discriminator_steps` times and G once.

    Args:
        networks: `Networks`.
        settings: `StepSettings`.
        images: uint8 or float tensor `(parts * n, H, W, C)`, the share of this replica.
        labels: int32 tensor `(parts * n,)`, or None if unconditional.
        step: scalar tensor. Number of generator steps before this one, which determines
            the random draws.

    Returns: dict of scalar float tensors, means over this replica's share: `d_loss` and
        `g_loss` (without penalties), `d_real` and `d_fake` (mean logits), `d_sign`
        (mean sign of D(real)), and those of `penalties.NAMES` that are on.
    """
    accumulation = settings.gradient_accumulation_steps
    batches = discriminator_batches(networks, settings, images, labels, step)
    d_logs = []
    for i in range(settings.discriminator_steps):
        share = batches[i * accumulation : (i + 1) * accumulation]
        d_logs.append(update_discriminator(networks, settings, share))
    share = generator_batches(networks, settings, batches[-accumulation:], step)
    updated = [tf.convert_to_tensor(v) for v in networks.discriminator.variables]
    g_loss = update_generator(networks, settings, [x.after(updated) for x in share])
    logs = {name: _mean([entry[name] for entry in d_logs]) for name in d_logs[0]}
    return {**logs, "g_loss": g_loss}


def test_step(networks, settings, images, labels, position):
    """Computes losses and mean logits on a held-out batch, in inference mode.

    Args:
        networks: `Networks`.
        settings: `StepSettings`.
        images: uint8 or float tensor `(n, H, W, C)`, the share of this replica.
        labels: int32 tensor `(n,)`, or None if unconditional.
        position: scalar tensor. Number of images on all replicas before this batch,
            which determines the latents and fake labels.

    Returns: dict of scalar float tensors: `d_loss`, `g_loss`, `d_real` and `d_fake`.
    """
    loss = losses.get(settings.loss)
    count = tf.shape(images)[0]
    drawn = draw(networks, settings, Purpose.EVALUATION, position, count, labels)
    batch = Batch(to_unit_range(images), labels, *drawn)
    fakes = passes.generate(networks.generator, batch, training=False)
    real, fake = passes.discriminate_pair(
        networks.discriminator, batch, fakes, training=False
    )
    return {
        "d_loss": loss.discriminator(real, fake),
        "g_loss": loss.generator_loss(real, fake),
        "d_real": tf.reduce_mean(real),
        "d_fake": tf.reduce_mean(fake),
    }


def update_discriminator(networks, settings, batches):
    """Makes one optimizer step of D with the mean gradient over `batches`.

    Returns: dict of logs, means over the batches; see `train_step`.
    """
    loss_function = losses.get(settings.loss).discriminator
    network, optimizer = networks.discriminator, networks.d_optimizer
    advance_spectral_norm(network)
    logs, results = [], []
    with frozen_spectral_norm():
        for each in batches:
            batch = each.after(results[-1:])
            # Outside the tape, which needs no gradients of G.
            fakes = passes.generate(networks.generator, batch, training=True)
            batch = augmentation.show_real(networks, settings, batch)
            fakes = augmentation.show_fakes(networks, settings, batch, fakes)
            with tf.GradientTape() as tape:
                real, fake, penalised = penalties.discriminate_penalized(
                    network, batch, fakes, settings
                )
                loss = loss_function(real, fake)
                total = loss + penalties.weigh(penalised, settings)
                scaled = optimizer.scale_loss(total / _divisor(batches))
            results.append(gradients(tape, scaled, network.trainable_variables))
            logs.append(
                {
                    "d_loss": loss,
                    "d_real": tf.reduce_mean(real),
                    "d_fake": tf.reduce_mean(fake),
                    "d_sign": tf.reduce_mean(tf.sign(real)),
                    **penalised,
                }
            )
    optimizer.apply(sum_gradients(results), network.trainable_variables)
    return {name: _mean([entry[name] for entry in logs]) for name in logs[0]}


def update_generator(networks, settings, batches):
    """Makes one optimizer step of G with the mean gradient over `batches`.

    Returns: scalar tensor, the mean loss over the batches.
    """
    loss_functions = losses.get(settings.loss)
    network, optimizer = networks.generator, networks.g_optimizer
    advance_spectral_norm(network)
    values, results = [], []
    with frozen_spectral_norm():
        for each in batches:
            batch = each.after(results[-1:])
            real = None
            if loss_functions.paired:
                real = _real_logits(networks, settings, batch)
            with tf.GradientTape() as tape:
                fakes = passes.generate(network, batch, training=True)
                fakes = augmentation.show_fakes(networks, settings, batch, fakes)
                fake = passes.discriminate(
                    networks.discriminator, fakes, batch.fake_labels, training=True
                )
                loss = loss_functions.generator_loss(real, fake)
                scaled = optimizer.scale_loss(loss / _divisor(batches))
            results.append(gradients(tape, scaled, network.trainable_variables))
            values.append(loss)
    optimizer.apply(sum_gradients(results), network.trainable_variables)
    return _mean(values)


def _real_logits(networks, settings, batch):
    """Returns the logits of the real images in G's step, from a separate pass.

    In a pass with both, the real half would go through the backward pass as well.
    """
    batch = augmentation.show_real(networks, settings, batch)
    return passes.discriminate(
        networks.discriminator, batch.images, batch.labels, training=True
    )


def discriminator_batches(networks, settings, images, labels, step):
    """Splits the data of a step into batches, with latents and fake labels for each."""
    count = tf.shape(images)[0]
    purpose = Purpose.DISCRIMINATOR_STEP
    drawn = draw(networks, settings, purpose, step, count, labels)
    draws = augmentation_draws(settings, purpose, step, count)
    columns = (to_unit_range(images), labels, *drawn, *draws)
    return split(columns, settings.parts)


def generator_batches(networks, settings, d_batches, step):
    """Returns the batches for G's update: as many latents as in one update of D.

    With a paired loss, they also have the real images and labels of `d_batches`, those
    of D's last update. A step thus needs as many real images as with other losses.
    """
    count = tf.add_n([tf.shape(batch.latents)[0] for batch in d_batches])
    drawn = draw(networks, settings, Purpose.GENERATOR_STEP, step, count)
    draws = augmentation_draws(settings, Purpose.GENERATOR_STEP, step, count)
    batches = split((None, None, *drawn, *draws), len(d_batches))
    if not losses.get(settings.loss).paired:
        return batches
    return [
        batch._replace(images=x.images, labels=x.labels, fake_labels=x.labels)
        for batch, x in zip(batches, d_batches, strict=True)
    ]


def draw(networks, settings, purpose, step, count, real_labels=None):
    """Draws latents and labels for the global batch; returns this replica's `count`.

    With a paired loss, the labels are `real_labels`, those of the real images.
    """
    generator = networks.generator
    key = (settings.seed, purpose, step)
    latents = sampling.own_rows(
        lambda total: sampling.batch_latents(*key, total, generator.latent_dim), count
    )
    if generator.num_classes is None or losses.get(settings.loss).paired:
        return latents, real_labels
    classes, weights = generator.num_classes, settings.fake_label_weights
    labels = sampling.own_rows(
        lambda total: sampling.batch_labels(*key, total, classes, weights), count
    )
    return latents, labels


def augmentation_draws(settings, purpose, step, count):
    """Draws the random numbers for augmenting the images of a step.

    Returns: as for `augmentation.draw`, for `count` images of this replica.
    """
    paired = losses.get(settings.loss).paired
    return augmentation.draw(
        settings.augmentation,
        settings.seed,
        purpose,
        step,
        lambda function: sampling.own_rows(function, count),
        real_too=paired or purpose is Purpose.DISCRIMINATOR_STEP,
    )


def split(columns, parts):
    """Splits columns into `parts` batches, each with every `parts`-th row.

    Thanks to the strides, a part has the same samples of the global batch however many
    replicas that is spread over.
    """
    return [
        Batch(*(None if x is None else x[i::parts] for x in columns))
        for i in range(parts)
    ]


def to_unit_range(images):
    """Converts uint8 images in [0, 255] to float32 in [-1, 1]; keeps float images."""
    if images.dtype == tf.uint8:
        return tf.cast(images, tf.float32) / 127.5 - 1.0
    return images


def _divisor(batches):
    """Returns what to divide a loss by, so that summed gradients become their mean.

    Optimizers sum gradients over replicas, and `sum_gradients` over sub-batches.
    """
    return len(batches) * tf.distribute.get_strategy().num_replicas_in_sync


def _mean(values):
    return tf.add_n(values) / len(values)
