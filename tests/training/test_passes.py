"""What the passes of a step are given, and how their halves come apart."""

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.training import passes
from keras_sagan.training.passes import Batch
from tests import helpers


def batch(num_classes=3, count=4):
    images, labels = helpers.images_and_labels(count)
    images = tf.constant(images / np.float32(127.5) - np.float32(1))
    latents = tf.random.stateless_normal((count, 8), (0, 1))
    if num_classes is None:
        return Batch(images, None, latents, None)
    return Batch(images, tf.constant(labels), latents, tf.constant(labels[::-1]))


@pytest.mark.parametrize("num_classes", [None, 3])
def test_a_pass_for_both_is_that_of_each(num_classes):
    generator, discriminator = helpers.tiny_networks(num_classes, attention=False)
    x = batch(num_classes)
    fakes = passes.generate(generator, x, training=False)
    real, fake = passes.discriminate_pair(discriminator, x, fakes, training=False)
    for logits, images, labels in [
        (real, x.images, x.labels),
        (fake, fakes, x.fake_labels),
    ]:
        alone = passes.discriminate(discriminator, images, labels, training=False)
        np.testing.assert_allclose(logits, alone, rtol=1e-4, atol=1e-5)
    assert np.abs(real - fake).min() > 1e-4


def test_joined_images_have_the_dtype_of_the_generated_ones():
    x = batch()
    images, labels = passes.join(x, tf.zeros(x.images.shape, tf.float64))
    assert images.dtype == tf.float64
    np.testing.assert_array_equal(labels, [*x.labels, *x.fake_labels])
    first, second = passes.halves(images)
    np.testing.assert_array_equal(first, tf.cast(x.images, tf.float64))
    assert not np.any(second)


def test_a_pass_after_others_has_the_same_inputs():
    x = batch()
    later = x.after([[tf.ones(3)], x.latents])
    for before, after in zip(x[:4], later[:4], strict=True):
        np.testing.assert_array_equal(before, after)
