"""Feature extractors that use all replicas of a process."""

import dataclasses

import keras
import tensorflow as tf

from keras_sagan.distributed import strategies
from keras_sagan.distributed.row_map import RowMap
from keras_sagan.metrics.extractors import classifier, opening


def spread_extractor(extractor, strategy):
    """An extractor that spreads each batch over the replicas of this process.

    Features are those of one replica, in the same order, up to rounding. Open the
    extractor in the strategy's scope, so that every device has its weights.

    Args:
        extractor: `keras_sagan.metrics.Extractor`.
        strategy: `tf.distribute.Strategy`.

    Returns: `Extractor`; the given one if there is one replica.
    """
    if strategies.local_replicas(strategy) == 1:
        return extractor
    rows = RowMap(extractor.function, strategy)

    def function(images):
        found = rows([images], batch_size=len(images))  # split evenly
        return tuple(None if x is None else tf.constant(x) for x in found)

    return dataclasses.replace(extractor, function=function)


def open_extractor(strategy, name, weights, resize_kind, layer, training_arrays):
    """As `metrics.extractors.open_extractor`, for all replicas of this process.

    Args:
        strategy: `tf.distribute.Strategy`, whose scope is not entered.
        name, weights, resize_kind, layer, training_arrays: as there.

    Raises:
        ValueError: if there is no such extractor.
    """
    kind, _, rest = name.partition(":")
    if kind == "classifier":
        model = classifier.load_or_train(rest or None, training_arrays)
        return classifier_extractor(strategy, model)
    with strategy.scope():
        found = opening.open_extractor(
            name, weights, resize_kind, layer, training_arrays
        )
    return spread_extractor(found, strategy)


def classifier_extractor(strategy, model):
    """As `metrics.classifier_extractor`, for all replicas of this process.

    Args:
        strategy: `tf.distribute.Strategy`.
        model: what `train_classifier` returned, on one replica: it would become
            another one on several.
    """
    with strategy.scope():
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
    return spread_extractor(classifier.classifier_extractor(copy), strategy)
