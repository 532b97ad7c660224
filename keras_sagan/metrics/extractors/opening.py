"""Opens extractors by their names on the command line, for one or several replicas."""

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Callable

import keras
import tensorflow as tf

from keras_sagan.distributed import strategies
from keras_sagan.distributed.row_map import RowMap
from keras_sagan.files import keras_files, paths
from keras_sagan.metrics.extractors import classifier, extractor, naming, published


def open_extractor(
    name: str,
    weights: str | os.PathLike | None,
    resize_kind: str | None,
    layer: str | None,
    training_data: Callable[[], tuple],
    strategy: tf.distribute.Strategy | None = None,
) -> extractor.Extractor:
    """Opens an extractor by its name.

    Args:
        name: str. See `keras-sagan evaluate --help`.
        weights: path of the weights of the FID network or of DINOv2, or `None`.
        resize_kind: str, or `None` for `naming.default_resize`.
        layer: str or `None`. Layer of a Keras model whose output are the features.
        training_data: function without arguments that returns images, labels and class
            names to train a classifier.
        strategy: `tf.distribute.Strategy`, or `None`. Each batch is split among its
            replicas in this process. Do not call this function in its scope.

    Returns: `Extractor`.

    Raises:
        ValueError: if there is no such extractor.
        OSError: if its file cannot be read.
        RuntimeError: if published weights cannot be downloaded.
    """
    kind, rest = naming.parse(name)
    resize_kind = resize_kind or naming.default_resize(kind)
    if kind == "classifier":  # trained on one replica, as several would give another
        model, class_names = classifier.load_or_train(rest or None, training_data)
        return open_classifier(model, class_names, strategy)
    with contextlib.nullcontext() if strategy is None else strategy.scope():
        network = _open(kind, rest, weights, resize_kind, layer)
    return spread_extractor(network, strategy)


def no_extractor() -> extractor.Extractor:
    """Makes what takes the place of an extractor if no metric looks at features."""

    def function(images):
        return tf.zeros((len(images), 1)), None

    return extractor.Extractor("none", "none", "none", "none", function, dimensions=1)


def open_classifier(model, class_names=None, strategy=None):
    """Makes an extractor of a classifier, for all replicas of this process.

    Args:
        model: result of `train_classifier`, trained on one replica.
        class_names: see `classifier_extractor`.
        strategy: see `open_extractor`.
    """
    if strategy is None:
        return classifier.classifier_extractor(model, class_names)
    with strategy.scope():
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
    made = classifier.classifier_extractor(copy, class_names)
    return spread_extractor(made, strategy)


def spread_extractor(
    extractor: extractor.Extractor, strategy: tf.distribute.Strategy | None
) -> extractor.Extractor:
    """Makes an extractor that splits each batch among the replicas of this process.

    Up to rounding, features and their order are the same as on one replica. Open the
    extractor in the scope of the strategy, so that every device has its weights.

    Args:
        extractor: `keras_sagan.metrics.Extractor`.
        strategy: `tf.distribute.Strategy`, or `None`.

    Returns: `Extractor`, which is the given one if there is only one replica.
    """
    if strategy is None or strategies.local_replicas(strategy) == 1:
        return extractor
    rows = RowMap(extractor.function, strategy)

    def function(images):
        outputs = rows([images], batch_size=len(images))  # so that it is split evenly
        return tuple(None if x is None else tf.constant(x) for x in outputs)

    return dataclasses.replace(extractor, function=function)


def _open(kind, rest, weights, resize_kind, layer):
    if kind == "inception":
        return published.inception_extractor(weights, resize_kind)
    if kind == "dinov2":
        return published.dinov2_extractor(rest, weights, resize_kind)
    if kind == "saved_model":
        path = paths.local(rest)
        return extractor.saved_model_extractor(path, path.name)
    if kind == "keras":
        model, stem = keras_files.load(rest), pathlib.Path(rest).stem
        return extractor.keras_extractor(model, stem, layer, None, resize_kind)
    return _open_application(rest, resize_kind)


def _open_application(name, resize_kind):
    """Opens a network of `keras.applications` with its published ImageNet weights."""
    build = getattr(keras.applications, name, None)
    if build is None:
        known = [x for x in dir(keras.applications) if x[:1].isupper()]
        raise ValueError(
            f"`extractor` applications:NAME must be one of {', '.join(known)}. "
            f"Received: {name!r}."
        )
    try:
        model = build(include_top=False, pooling="avg", input_shape=(224, 224, 3))
    except Exception as error:
        if not isinstance(error.__context__, OSError):  # the cause of Keras's error
            raise
        raise RuntimeError(
            f"The weights of applications:{name} could not be downloaded: {error}. "
            "Keras looks for them in ~/.keras/models first."
        ) from error
    module = next(
        m
        for m in vars(keras.applications).values()
        if hasattr(m, "preprocess_input") and getattr(m, name, None) is build
    )
    return extractor.keras_extractor(
        model, name, None, module.preprocess_input, resize_kind
    )
