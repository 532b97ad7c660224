"""Extractors by the names that the command line gives them."""

import pathlib

import keras

from keras_sagan.files import keras_files
from keras_sagan.metrics.extractors import classifier, extractor


def open_extractor(name, weights, resize_kind, layer, training_arrays):
    """Opens an extractor by its name.

    Args:
        name: str. See `keras-sagan evaluate --help`.
        weights: path of the FID network's weights, or `None`.
        resize_kind: str.
        layer: str or `None`. Layer of a Keras model.
        training_arrays: function without arguments to images and labels.

    Raises:
        ValueError: if there is no such extractor.
    """
    kind, _, rest = name.partition(":")
    if name == "inception":
        return extractor.inception_extractor(weights, resize_kind)
    if kind == "classifier":
        model = classifier.load_or_train(rest or None, training_arrays)
        return classifier.classifier_extractor(model)
    if kind == "saved_model" and rest:
        return extractor.saved_model_extractor(rest, pathlib.Path(rest).name)
    if kind == "keras" and rest:
        model = keras_files.load(rest)
        stem = pathlib.Path(rest).stem
        return extractor.keras_extractor(model, stem, layer, None, resize_kind)
    if kind == "applications" and rest:
        return _application(rest, resize_kind)
    raise ValueError(
        "`extractor` must be inception, classifier[:FILE.keras], keras:FILE.keras, "
        f"saved_model:DIR or applications:NAME. Received: {name!r}."
    )


def _application(name, resize_kind):
    """A network of `keras.applications` with its published ImageNet weights."""
    build = getattr(keras.applications, name, None)
    if build is None or not name[:1].isupper():
        known = [x for x in dir(keras.applications) if x[:1].isupper()]
        raise ValueError(
            f"`extractor` applications:NAME must be one of {', '.join(known)}. "
            f"Received: {name!r}."
        )
    model = build(include_top=False, pooling="avg", input_shape=(224, 224, 3))
    module = next(
        m
        for m in vars(keras.applications).values()
        if hasattr(m, "preprocess_input") and getattr(m, name, None) is build
    )
    return extractor.keras_extractor(
        model, name, None, module.preprocess_input, resize_kind
    )
