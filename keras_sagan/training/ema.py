"""The averaged generator: how it is made, updated, and prepared for use.

Averaged weights need their own spectral norms and batch statistics; those of the live
generator are wrong for them. Before the averaged generator is used, its vectors `u` and
`v` are therefore estimated anew, and its batch-norm statistics are replaced by the mean
of batch moments over freshly drawn latents ("standing statistics").
"""

import contextlib
import dataclasses
import functools
import zlib

import keras
import numpy as np
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.layers.conditional_batch_normalization import (
    ConditionalBatchNormalization,
)
from keras_sagan.layers.spectral_normalization import (
    frozen_spectral_norm,
    spectral_norm_layers,
)
from keras_sagan.training import generation

POWER_ITERATIONS = 15
STANDING_BATCHES = 16
STANDING_BATCH_SIZE = 64

_BATCH_NORMS = (keras.layers.BatchNormalization, ConditionalBatchNormalization)


@dataclasses.dataclass(frozen=True, eq=False)
class Averages:
    """The averaged variables and the variables that they average, in the same order.

    It is a class because Keras tracks variables in lists and tuples as weights of the
    model that holds them, and would save them twice.
    """

    averages: list
    weights: list

    def restart(self):
        """Sets the averages to the current weights."""
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.assign(tf.cast(weight.value, average.dtype))

    def fingerprint(self):
        """Returns the `fingerprint` of the averages, an int."""
        return int(self._compiled_fingerprint())

    @functools.cached_property
    def _compiled_fingerprint(self):
        return tf.function(lambda: fingerprint(self.averages), autograph=False)


def averaged_copy(generator):
    """Creates a copy of a generator to hold averaged weights, in float32 or wider.

    Returns: tuple of the copy and its `Averages`.
    """
    config = generator.get_config()
    dtype = generator.dtype_policy.variable_dtype
    config["dtype"] = keras.backend.result_type(dtype, "float32")
    config["name"] = "ema_generator"
    # Averages are kept of all weights that can be trained, see below.
    config |= {"trainable": True, "frozen": [], "thawed": []}
    copy = type(generator).from_config(config)
    copy.set_weights(generator.get_weights())
    # Includes layers that are frozen in `generator`, which may be thawed later.
    pairs = zip(copy.weights, generator.weights, strict=True)
    pairs = [(average, weight) for average, weight in pairs if average.trainable]
    return copy, Averages(*map(list, zip(*pairs, strict=True)))


class StandingStatistics:
    """Estimates spectral norms and batch statistics for an averaged generator.

    Args:
        generator: `Generator` with averaged weights.
        live: `Generator` whose weights are averaged. Power iterations start from its
            vectors.
    """

    def __init__(self, generator, live):
        self._generator = generator
        self._live = live
        self._moments = {}  # compiled functions, by seed and weights of the labels

    def refresh(self, seed, label_weights=None):
        """Estimates `u`, `v` and the batch-norm statistics for the current weights.

        The result depends on the weights, on `u` of the live generator and on the
        arguments, but not on earlier estimates. So it makes no difference to a run how
        often its images are looked at on the way.

        Args:
            seed: int. The seed of the run.
            label_weights: tuple of the frequencies with which training draws the
                classes, or None if they are equal.
        """
        generator = self._generator
        pairs = zip(
            spectral_norm_layers(generator),
            spectral_norm_layers(self._live),
            strict=True,
        )
        for layer, other in pairs:
            layer.u.assign(other.u)
            layer.advance(POWER_ITERATIONS)
        statistics = _moving_statistics(generator)
        totals = [tf.zeros(v.shape, tf.float64) for v in statistics]
        key = seed, label_weights
        if key not in self._moments:
            self._moments[key] = _moment_function(generator, statistics, *key)
        for index in range(STANDING_BATCHES):
            batch = self._moments[key](tf.constant(index, tf.int64))
            totals = [
                total + tf.cast(moment, tf.float64)
                for total, moment in zip(totals, batch, strict=True)
            ]
        for variable, total in zip(statistics, totals, strict=True):
            variable.assign(tf.cast(total / STANDING_BATCHES, variable.dtype))


def fingerprint(variables):
    """Computes an int64 that changes, almost surely, with any bit of `variables`."""
    total = tf.zeros((), tf.int64)
    for index, variable in enumerate(variables):
        bits = tf.int64 if variable.dtype == "float64" else tf.int32
        words = tf.cast(tf.bitcast(variable.value, bits), tf.int64)
        total = total * 31 + tf.reduce_sum(words) + index
    return total


def mix_number(label_weights):
    """Returns an int32 > 0 that identifies the frequencies of the classes.

    It is 1 for equal frequencies, that is, for None.
    """
    if label_weights is None:
        return 1
    return 2 + zlib.crc32(repr(label_weights).encode()) % 2**30


def _moment_function(generator, statistics, seed, label_weights):
    """Returns a compiled function from a batch index to the moments of that batch."""

    @tf.function(autograph=False)
    def moments(index):
        latents = sampling.batch_latents(
            seed,
            sampling.Purpose.STANDING_STATISTICS,
            index,
            STANDING_BATCH_SIZE,
            generator.latent_dim,
        )
        inputs = latents
        if generator.num_classes is not None:
            labels = sampling.batch_labels(
                seed,
                sampling.Purpose.STANDING_STATISTICS,
                index,
                STANDING_BATCH_SIZE,
                generator.num_classes,
                label_weights,
            )
            inputs = [latents, labels]
        with frozen_spectral_norm(), _batch_moments(generator):
            generator(inputs, training=True)
        return [tf.identity(v.value) for v in statistics]

    return moments


@contextlib.contextmanager
def _batch_moments(model):
    """Makes training passes store the moments of their batch in the moving statistics.

    The model is trainable meanwhile, because a batch norm that is not would use its
    moving statistics instead of computing moments.
    """
    layers = [x for x in model._flatten_layers() if isinstance(x, _BATCH_NORMS)]
    momenta = [layer.momentum for layer in layers]
    trainable = model.trainable
    try:
        model.trainable = True
        for layer in layers:
            layer.momentum = 0.0  # nothing of the earlier statistics is kept
        yield
    finally:
        model.trainable = trainable
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum


def _moving_statistics(model):
    layers = [x for x in model._flatten_layers() if isinstance(x, _BATCH_NORMS)]
    return [v for x in layers for v in (x.moving_mean, x.moving_variance)]


def with_both_statistics(gan, count):
    """Generates images with the stored batch statistics and with those of the batch.

    If the two differ much, the stored statistics of the averaged generator are wrong.

    Args:
        gan: `SAGAN`.
        count: int. Number of images. They are of all classes in turn, or of classes
            with the frequencies with which training draws them.

    Returns: tuple of two float arrays `(count, height, width, channels)` from the same
        latents.
    """
    gan.refresh_ema()
    latents = sampling.latents(gan.generator.latent_dim, range(count))
    labels = _labels_in_training(gan, count)
    stored = generation.run(gan.ema_generator, latents, labels)
    copy, _ = averaged_copy(gan.ema_generator)
    copy.trainable = True  # otherwise batch norms use the stored statistics
    with frozen_spectral_norm():
        of_batch = generation.run(copy, latents, labels, training=True)
    return stored.numpy(), of_batch.numpy()


def _labels_in_training(gan, count):
    """Returns labels as in training: int32 array `(count,)`, None if unconditional."""
    classes, weights = gan.generator.num_classes, gan.fake_label_weights
    if classes is None:
        return None
    if weights is None:
        return np.arange(count, dtype=np.int32) % classes
    purpose = sampling.Purpose.EVALUATION
    return sampling.batch_labels(0, purpose, 0, count, classes, weights).numpy()


def update_average(averaged, step, settings):
    """Updates the exponential moving averages; before `ema_start` they are copies.

    Args:
        averaged: `ema.Averages`, updated in place.
        step: int scalar tensor. Number of generator steps before this one.
        settings: `StepSettings`.
    """
    rate = _rate(step, settings)
    for average, weight in zip(averaged.averages, averaged.weights, strict=True):
        difference = tf.cast(weight.value, average.dtype) - average.value
        average.assign(average.value + tf.cast(rate, average.dtype) * difference)


def _rate(step, settings):
    """Returns the share of the average that the weights replace: float64 scalar."""
    rate = tf.constant(1.0 - settings.ema_decay, tf.float64)
    updates = tf.cast(step, tf.float64) - settings.ema_start
    if settings.ema_warmup:
        rate = tf.maximum(rate, 9 / (10 + updates))
    return tf.where(updates < 0, tf.ones_like(rate), rate)
