"""Trains a small classifier on the user's own data, to be used as feature extractor.

It is for machines without access to the FID network, and for pictures that are unlike
photographs. It trains in about a minute. Its scores rank models of the same data; they
are not FID, and can be compared only for the same classifier (see its SHA-256 in the
protocol).
"""

import dataclasses
import json
from collections.abc import Sequence

import keras
import numpy as np

from keras_sagan import progress
from keras_sagan.files import json_files, keras_files, paths, writing
from keras_sagan.metrics.extractors.extractor import (
    CLASSIFIER,
    Extractor,
    keras_extractor,
)

FEATURES = "features"  # name of the layer with the features

_BATCH_SIZE = 128
_LEARNED = 50_000  # largest number of images that are decoded for training
_CLASS_NAMES = "assets/class_names.json"  # name inside the file of a classifier


def train_classifier(
    images: np.ndarray, labels: np.ndarray | None, epochs: int = 4, seed: int = 0
) -> keras.Model:
    """Trains a convolutional classifier.

    Args:
        images: uint8 array `(n, height, width, channels)`, at least 8 pixels high.
        labels: integer array `(n,)`.
        epochs: int. Number of epochs.
        seed: int. Seed that is set for the generators of Keras, NumPy and Python.

    Returns: compiled `keras.Model` from uint8 images to logits, whose layer "features"
        has 128 units.

    Raises:
        ValueError: if `labels` is `None`, or if there is only one class.
    """
    if labels is None or len(np.unique(labels)) < 2:
        raise ValueError(
            "`labels` must hold at least two classes to train a classifier. "
            f"Received: {None if labels is None else np.unique(labels).tolist()}."
        )
    keras.utils.set_random_seed(seed)
    model = small_network(images.shape[1:], int(np.max(labels)) + 1)
    with progress.Counter(epochs * len(images), "training the classifier") as counter:
        show = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: counter.add(_BATCH_SIZE)
        )
        model.fit(
            images,
            labels,
            batch_size=_BATCH_SIZE,
            epochs=epochs,
            callbacks=[show],
            verbose=0,
        )
    return model


def small_network(shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Makes the network of `train_classifier`, with random weights.

    Args:
        shape: tuple `(height, width, channels)`.
        num_classes: int. Number of logits.

    Returns: compiled `keras.Model`.
    """
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input(shape),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(128, activation="relu", name=FEATURES),
            layers.Dense(num_classes),
        ]
    )
    model.compile(
        optimizer="adam",
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def classifier_extractor(
    model: keras.Model, class_names: Sequence[str] | None = None
) -> Extractor:
    """Makes an extractor of a classifier, with its 128 features and its logits.

    Args:
        model: result of `train_classifier`, which may have been saved and loaded.
        class_names: sequence of str with the names of the outputs, or `None`. With
            names, classes are matched by name, otherwise by index.

    Returns: `Extractor`.
    """
    made = keras_extractor(model, CLASSIFIER, features=FEATURES)
    names = None if class_names is None else tuple(class_names)
    return dataclasses.replace(made, class_names=names, layer=None)  # always the same


def load_or_train(path, source, epochs=4, seed=0):
    """Loads the classifier at `path`, or trains and saves one if there is none.

    Args:
        path: path that ends in `.keras`, or `None` to train without saving.
        source: function without arguments that returns `(images, labels, class_names)`.
            It is called to train a classifier.
        epochs: see `train_classifier`.
        seed: see `train_classifier`.

    Returns: tuple `(model, class_names)` of a `keras.Model`, and a tuple of str, or
        `None` if the names are unknown.
    """
    path = None if path is None else paths.local(path)
    if path is not None and path.is_file():
        return keras_files.load(path), read_class_names(path)
    images, labels, class_names = source()
    model = train_classifier(images, labels, epochs=epochs, seed=seed)
    if path is not None:
        write(path, model, class_names)
    return model, class_names


def examples_of(source):
    """Returns `(images, labels, class_names)` of a `keras_sagan.data.Source`.

    If its images stay in their files, at most `_LEARNED` evenly spaced ones are read.
    """
    images, labels = source.arrays()
    if not isinstance(images, np.ndarray):
        rows = np.linspace(0, len(images) - 1, min(len(images), _LEARNED)).astype(int)
        images, labels = images[rows], None if labels is None else labels[rows]
    return images, labels, source.class_names


def write(path, model, class_names):
    """Writes a classifier and the names of its classes to a `.keras` file.

    Args:
        path: path that ends in `.keras`. Folders are created as needed.
        model: result of `train_classifier`.
        class_names: sequence of str with the names of the outputs, or `None`.
    """

    def fill(partial):
        model.save(partial)
        if class_names is not None:
            content = json.dumps({"names": list(class_names)})
            keras_files.add_asset(partial, _CLASS_NAMES, content)

    path = paths.local(path)
    writing.make_folder(path.parent)
    writing.replace_file(path, fill)


def read_class_names(path):
    """Reads the classes from the file of a classifier: tuple of str, or `None`.

    Raises:
        ValueError: if the file contains something else in their place.
    """
    content = keras_files.read_asset(path, _CLASS_NAMES)
    if content is None:
        return None
    names = json_files.parse(content, f"{_CLASS_NAMES} in {str(path)!r}").get("names")
    if not isinstance(names, list) or not all(isinstance(x, str) for x in names):
        raise ValueError(f"{_CLASS_NAMES} in {str(path)!r} must hold a list of names.")
    return tuple(names)
