"""Forward passes through the two networks, and the batches that they take."""

import typing

import tensorflow as tf

from keras_sagan.layers.batch_normalization import batch_normalizer
from keras_sagan.training.fused_batch_normalization import fused_batch_normalization


class Batch(typing.NamedTuple):
    """The inputs of a forward and backward pass.

    Labels are None if the networks are unconditional. The last two fields are random
    numbers for augmentation, or None.
    """

    images: tf.Tensor | None
    labels: tf.Tensor | None
    latents: tf.Tensor
    fake_labels: tf.Tensor | None
    real_draws: tf.Tensor | None = None
    fake_draws: tf.Tensor | None = None

    def after(self, results):
        """Returns a batch whose pass starts only when `results` have been computed.

        The forward passes of a step do not depend on each other. TensorFlow would run
        all of them at the same time, and keep in memory what all their backward passes
        need.
        """
        with tf.control_dependencies(tf.nest.flatten(results)):
            return self._replace(latents=tf.identity(self.latents))


def generate(generator, batch, training):
    """Generates images from the latents (and labels) of a batch."""
    inputs = batch.latents
    if batch.fake_labels is not None:
        inputs = [batch.latents, batch.fake_labels]
    with batch_normalizer(fused_batch_normalization):
        return generator(inputs, training=training)


def discriminate(discriminator, images, labels, training):
    """Returns the logits `(n, 1)` of images (and labels)."""
    inputs = images if labels is None else [images, labels]
    return discriminator(inputs, training=training)


def discriminate_pair(discriminator, batch, fakes, training):
    """Returns the real and the fake logits of a single pass over both.

    They equal those of separate passes, because D has no batch norm.
    """
    logits = discriminate(discriminator, *join(batch, fakes), training)
    return halves(logits)


def join(batch, fakes):
    """Concatenates real and generated images, and their labels, in this order."""
    images = tf.concat([tf.cast(batch.images, fakes.dtype), fakes], axis=0)
    labels = None
    if batch.labels is not None:
        labels = tf.concat([batch.labels, batch.fake_labels], axis=0)
    return images, labels


def halves(x):
    """Splits results for joined images into those for real and for generated ones."""
    count = tf.shape(x)[0] // 2
    return x[:count], x[count:]
