"""Passes through the two networks: what each is given, what comes out."""

import typing

import tensorflow as tf

from keras_sagan.layers.batch_normalization import batch_normalizer
from keras_sagan.training.fused_batch_normalization import fused_batch_normalization


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
    logits = discriminate(discriminator, *join(batch, fakes), training)
    return halves(logits)


def join(batch, fakes):
    """Real images, then generated ones, in their dtype; and the labels of both."""
    images = tf.concat([tf.cast(batch.images, fakes.dtype), fakes], axis=0)
    labels = None
    if batch.labels is not None:
        labels = tf.concat([batch.labels, batch.fake_labels], axis=0)
    return images, labels


def halves(x):
    """What is of the real images and what is of the generated ones, after `join`."""
    count = tf.shape(x)[0] // 2
    return x[:count], x[count:]
