"""Feature extractors that use all replicas of a process."""

import dataclasses

import tensorflow as tf

from keras_sagan.training import distribution
from keras_sagan.training.row_map import RowMap


def spread_extractor(extractor, strategy):
    """An extractor that spreads each batch over the replicas of this process.

    Features are those of one replica, in the same order, up to rounding. Open the
    extractor in the strategy's scope, so that every device has its weights.

    Args:
        extractor: `keras_sagan.metrics.Extractor`.
        strategy: `tf.distribute.Strategy`.

    Returns: `Extractor`; the given one if there is one replica.
    """
    if distribution.local_replicas(strategy) == 1:
        return extractor
    rows = RowMap(extractor.function, strategy)

    def function(images):
        found = rows([images], batch_size=len(images))  # split evenly
        return tuple(None if x is None else tf.constant(x) for x in found)

    return dataclasses.replace(extractor, function=function)
