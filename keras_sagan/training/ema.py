"""The averaged generator: its copy, and the statistics that its weights need.

Averaged weights have spectral norms and batch statistics of their own: those of the
live generator are wrong for them. Before the averaged generator is used, its vectors
`u`, `v` are re-estimated and its batch-norm statistics replaced by the plain mean of
batch moments over freshly drawn latents ("standing statistics").
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
    """The averaged variables, and those that they average, in the same order.

    Not a list or tuple: Keras takes variables in those for weights of the model that
    holds them, and would save them twice.
    """

    averages: list
    weights: list

    def restart(self):
        """Let the averages be the present weights."""
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.assign(tf.cast(weight.value, average.dtype))

    def fingerprint(self):
        """`fingerprint` of the averages: int."""
        return int(self._compiled_fingerprint())

    @functools.cached_property
    def _compiled_fingerprint(self):
        return tf.function(lambda: fingerprint(self.averages), autograph=False)


def averaged_copy(generator):
    """A copy of `generator` to hold averaged weights, at least float32.

    Returns: the copy, and its `Averages`.
    """
    config = generator.get_config()
    dtype = generator.dtype_policy.variable_dtype
    config["dtype"] = keras.backend.result_type(dtype, "float32")
    config["name"] = "ema_generator"
    config |= {"trainable": True, "frozen": [], "thawed": []}
    copy = type(generator).from_config(config)
    copy.set_weights(generator.get_weights())
    # Also of layers that are frozen in `generator`: they may be thawed later.
    pairs = zip(copy.weights, generator.weights, strict=True)
    pairs = [(average, weight) for average, weight in pairs if average.trainable]
    return copy, Averages(*map(list, zip(*pairs, strict=True)))


class StandingStatistics:
    """Re-estimates what the weights of an averaged generator need beside themselves.

    Args:
        generator: `Generator` of averaged weights.
        live: `Generator` whose weights are averaged. The power iteration starts there.
    """

    def __init__(self, generator, live):
        self._generator = generator
        self._live = live
        self._moments = {}  # by seed and weights: compiled once, however often used

    def refresh(self, seed, label_weights=None):
        """Re-estimate `u`, `v` and the batch-norm statistics for the present weights.

        Depends on the weights, the live generator's `u` and the arguments, not on what
        was estimated before: a run that looks at its images ends with those of one that
        does not, and doing it twice changes nothing.

        Args:
            seed: int. The run's seed.
            label_weights: None, or how often training draws each class.
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
    """An int64 that changes when any bit of `variables` does (almost surely)."""
    total = tf.zeros((), tf.int64)
    for index, variable in enumerate(variables):
        bits = tf.int64 if variable.dtype == "float64" else tf.int32
        words = tf.cast(tf.bitcast(variable.value, bits), tf.int64)
        total = total * 31 + tf.reduce_sum(words) + index
    return total


def mix_number(label_weights):
    """An int32 > 0 that names how often each class is drawn; 1 for equally often."""
    if label_weights is None:
        return 1
    return 2 + zlib.crc32(repr(label_weights).encode()) % 2**30


def _moment_function(generator, statistics, seed, label_weights):
    """Compiled function from a batch index to the batch-norm moments of that batch."""

    @tf.function
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
    """Scope in which a training pass stores the moments of its batch as they are.

    A batch norm that is not trainable would use its moving statistics instead.
    """
    layers = [x for x in model._flatten_layers() if isinstance(x, _BATCH_NORMS)]
    momenta = [layer.momentum for layer in layers]
    trainable = model.trainable
    try:
        model.trainable = True
        for layer in layers:
            layer.momentum = 0.0
        yield
    finally:
        model.trainable = trainable
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum


def _moving_statistics(model):
    layers = [x for x in model._flatten_layers() if isinstance(x, _BATCH_NORMS)]
    return [v for x in layers for v in (x.moving_mean, x.moving_variance)]


def with_both_statistics(gan, count):
    """Images of the averaged generator with its stored and with batch statistics.

    Args:
        gan: `SAGAN`.
        count: int. Images, of all classes in turn, or of classes as often as training
            draws them where they are weighted.

    Returns: two float arrays `(count, height, width, channels)` of the same latents.
    """
    gan.refresh_ema()
    drawn = sampling.latents(gan.generator.latent_dim, range(count))
    labels = _labels_in_training(gan, count)
    stored = generation.run(gan.ema_generator, drawn, labels)
    copy, _ = averaged_copy(gan.ema_generator)
    copy.trainable = True  # otherwise batch norms use what is stored
    with frozen_spectral_norm():
        of_batch = generation.run(copy, drawn, labels, training=True)
    return stored.numpy(), of_batch.numpy()


def _labels_in_training(gan, count):
    """int32 array `(count,)`, or None if unconditional."""
    classes, weights = gan.generator.num_classes, gan.fake_label_weights
    if classes is None:
        return None
    if weights is None:
        return np.arange(count, dtype=np.int32) % classes
    purpose = sampling.Purpose.EVALUATION
    return sampling.batch_labels(0, purpose, 0, count, classes, weights).numpy()


def update_average(averaged, step, settings):
    """Exponential moving average of weights; plain copies before `ema_start`.

    Args:
        averaged: `ema.Averages`, updated in place.
        step: int scalar tensor. Generator steps done before this one.
        settings: `StepSettings`.
    """
    for average, weight in zip(averaged.averages, averaged.weights, strict=True):
        rate = tf.cast(1.0 - settings.ema_decay, average.dtype)
        rate = tf.where(step < settings.ema_start, tf.ones_like(rate), rate)
        value = tf.cast(weight.value, average.dtype)
        average.assign(average.value + rate * (value - average.value))
