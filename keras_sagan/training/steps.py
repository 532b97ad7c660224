"""One training step of a GAN as pure functions.

Order of one step: `discriminator_steps` updates of D, then one of G (as in
StudioGAN; the official code updates G first), then the weight average. The spectral
norm vectors of a network advance once before each of its updates and stand still
during all forward passes.
"""

import dataclasses
import math
import typing

import keras
import tensorflow as tf

from keras_sagan import losses, sampling
from keras_sagan.config.data import AugmentationConfig
from keras_sagan.config.training import StepConfig
from keras_sagan.layers.batch_normalization import batch_normalizer
from keras_sagan.layers.spectral_normalization import (
    advance_spectral_norm,
    frozen_spectral_norm,
)
from keras_sagan.sampling import Purpose
from keras_sagan.training import augmentation
from keras_sagan.training.fused_batch_normalization import fused_batch_normalization
from keras_sagan.training.optimizers import gradients, sum_gradients


class Networks(typing.NamedTuple):
    """The two networks, their optimizers, and how likely an augmentation is."""

    generator: keras.Model
    discriminator: keras.Model
    g_optimizer: keras.optimizers.Optimizer
    d_optimizer: keras.optimizers.Optimizer
    augmentation_probability: tf.Tensor | None = None


@dataclasses.dataclass(frozen=True)
class StepSettings(StepConfig):
    """What `SAGAN.compile` was told about a step."""

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
            "numbers >= 0, one a class, not all 0",
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
        """Sub-batches into which the data of one step is split."""
        return self.discriminator_steps * self.gradient_accumulation_steps


class Batch(typing.NamedTuple):
    """The inputs of one forward and backward pass; labels None if unconditional.

    The last two are the random numbers of augmentation, or None.
    """

    images: tf.Tensor | None
    labels: tf.Tensor | None
    latents: tf.Tensor
    fake_labels: tf.Tensor | None
    real_draws: tf.Tensor | None = None
    fake_draws: tf.Tensor | None = None

    def after(self, results):
        """The same, whose pass does not begin before the tensors `results` are there.

        TensorFlow would run the forward passes of a step, which do not need each other,
        at once, and keep what their backward passes need of all of them.
        """
        with tf.control_dependencies(tf.nest.flatten(results)):
            return self._replace(latents=tf.identity(self.latents))


def train_step(networks, settings, images, labels, step):
    """Update D `discriminator_steps` times and G once.

    Args:
        networks: `Networks`.
        settings: `StepSettings`.
        images: uint8 or float tensor `(parts * n, H, W, C)`: this replica's share.
        labels: int32 tensor `(parts * n,)`, or None if unconditional.
        step: scalar tensor: generator steps before this one. Selects random draws.

    Returns: dict of scalar float tensors: `d_loss`, `g_loss`, `d_real`, `d_fake`
        (mean logits), `d_sign` (mean sign of D(real)), means over this replica's share.
    """
    accumulation = settings.gradient_accumulation_steps
    batches = discriminator_batches(networks, settings, images, labels, step)
    d_logs = []
    for i in range(settings.discriminator_steps):
        share = batches[i * accumulation : (i + 1) * accumulation]
        d_logs.append(update_discriminator(networks, settings, share))
    share = generator_batches(networks, settings, tf.shape(images)[0], step)
    updated = [tf.convert_to_tensor(v) for v in networks.discriminator.variables]
    g_loss = update_generator(networks, settings, [x.after(updated) for x in share])
    logs = {name: _mean([entry[name] for entry in d_logs]) for name in d_logs[0]}
    return {**logs, "g_loss": g_loss}


def test_step(networks, settings, images, labels, position):
    """Losses and mean logits on a held-out batch, in inference mode.

    Args:
        networks: `Networks`.
        settings: `StepSettings`.
        images: uint8 or float tensor `(n, H, W, C)`: this replica's share.
        labels: int32 tensor `(n,)`, or None if unconditional.
        position: scalar tensor: images of all replicas before this batch. Selects the
            latents and fake labels.

    Returns: dict as that of `train_step`.
    """
    d_loss_function, g_loss_function = losses.get(settings.loss)
    count = tf.shape(images)[0]
    drawn = draw(networks, settings, Purpose.EVALUATION, position, count)
    batch = Batch(to_unit_range(images), labels, *drawn)
    fakes = generate(networks.generator, batch, training=False)
    real, fake = discriminate_pair(networks.discriminator, batch, fakes, training=False)
    return {
        "d_loss": d_loss_function(real, fake),
        "g_loss": g_loss_function(fake),
        "d_real": tf.reduce_mean(real),
        "d_fake": tf.reduce_mean(fake),
    }


def update_discriminator(networks, settings, batches):
    """One optimizer step of D on the mean gradient over `batches`."""
    loss_function, _ = losses.get(settings.loss)
    network, optimizer = networks.discriminator, networks.d_optimizer
    advance_spectral_norm(network)
    logs, found = [], []
    with frozen_spectral_norm():
        for each in batches:
            batch = each.after(found[-1:])
            fakes = generate(networks.generator, batch, training=True)
            shown, fakes = augmentation.pair(networks, settings, batch, fakes)
            with tf.GradientTape() as tape:
                real, fake = discriminate_pair(network, shown, fakes, training=True)
                loss = loss_function(real, fake)
                scaled = optimizer.scale_loss(loss / _divisor(batches))
            found.append(gradients(tape, scaled, network.trainable_variables))
            logs.append(
                {
                    "d_loss": loss,
                    "d_real": tf.reduce_mean(real),
                    "d_fake": tf.reduce_mean(fake),
                    "d_sign": tf.reduce_mean(tf.sign(real)),
                }
            )
    optimizer.apply(sum_gradients(found), network.trainable_variables)
    return {name: _mean([entry[name] for entry in logs]) for name in logs[0]}


def update_generator(networks, settings, batches):
    """One optimizer step of G on the mean gradient over `batches`; its loss."""
    _, loss_function = losses.get(settings.loss)
    network, optimizer = networks.generator, networks.g_optimizer
    advance_spectral_norm(network)
    results, found = [], []
    with frozen_spectral_norm():
        for each in batches:
            batch = each.after(found[-1:])
            with tf.GradientTape() as tape:
                fakes = generate(network, batch, training=True)
                _, fakes = augmentation.pair(networks, settings, batch, fakes)
                logits = discriminate(
                    networks.discriminator, fakes, batch.fake_labels, training=True
                )
                loss = loss_function(logits)
                scaled = optimizer.scale_loss(loss / _divisor(batches))
            found.append(gradients(tape, scaled, network.trainable_variables))
            results.append(loss)
    optimizer.apply(sum_gradients(found), network.trainable_variables)
    return _mean(results)


def generate(generator, batch, training):
    """Images of the latents (and labels) of `batch`."""
    inputs = batch.latents
    if batch.fake_labels is not None:
        inputs = [batch.latents, batch.fake_labels]
    with batch_normalizer(fused_batch_normalization):
        return generator(inputs, training=training)


def discriminate(discriminator, images, labels, training):
    """Logits `(n, 1)`."""
    inputs = images if labels is None else [images, labels]
    return discriminator(inputs, training=training)


def discriminate_pair(discriminator, batch, fakes, training):
    """Real and fake logits of one concatenated pass (D has no batch norm)."""
    images = tf.concat([tf.cast(batch.images, fakes.dtype), fakes], axis=0)
    labels = None
    if batch.labels is not None:
        labels = tf.concat([batch.labels, batch.fake_labels], axis=0)
    logits = discriminate(discriminator, images, labels, training)
    count = tf.shape(batch.images)[0]
    return logits[:count], logits[count:]


def discriminator_batches(networks, settings, images, labels, step):
    """The data of one step, split and joined with latents and fake labels."""
    count = tf.shape(images)[0]
    purpose = Purpose.DISCRIMINATOR_STEP
    drawn = draw(networks, settings, purpose, step, count)
    draws = augmentation_draws(settings, purpose, step, count)
    columns = (to_unit_range(images), labels, *drawn, *draws)
    return split(columns, settings.parts)


def generator_batches(networks, settings, count, step):
    """Latents and fake labels for G's update: as many as the data of one D update."""
    count = count // settings.discriminator_steps
    drawn = draw(networks, settings, Purpose.GENERATOR_STEP, step, count)
    draws = augmentation_draws(settings, Purpose.GENERATOR_STEP, step, count)
    columns = (None, None, *drawn, *draws)
    return split(columns, settings.gradient_accumulation_steps)


def draw(networks, settings, purpose, step, count):
    """This replica's `count` latents and labels out of the global batch's."""
    generator = networks.generator
    key = (settings.seed, purpose, step)
    latents = sampling.own_rows(
        lambda total: sampling.batch_latents(*key, total, generator.latent_dim), count
    )
    if generator.num_classes is None:
        return latents, None
    classes, weights = generator.num_classes, settings.fake_label_weights
    labels = sampling.own_rows(
        lambda total: sampling.batch_labels(*key, total, classes, weights), count
    )
    return latents, labels


def augmentation_draws(settings, purpose, step, count):
    """This replica's random numbers for `count` real and `count` generated images."""
    return augmentation.draw(
        settings.augmentation,
        settings.seed,
        purpose,
        step,
        lambda function: sampling.own_rows(function, count),
    )


def split(columns, parts):
    """`parts` batches of every `parts`-th row.

    Taken in strides, a part holds the same samples of the global batch however many
    replicas that is spread over.
    """
    return [
        Batch(*(None if x is None else x[i::parts] for x in columns))
        for i in range(parts)
    ]


def to_unit_range(images):
    """uint8 [0, 255] to float32 [-1, 1]; float images as they are."""
    if images.dtype == tf.uint8:
        return tf.cast(images, tf.float32) / 127.5 - 1.0
    return images


def _divisor(batches):
    """Optimizers sum gradients over replicas, `sum_gradients` over sub-batches."""
    return len(batches) * tf.distribute.get_strategy().num_replicas_in_sync


def _mean(values):
    return tf.add_n(values) / len(values)
