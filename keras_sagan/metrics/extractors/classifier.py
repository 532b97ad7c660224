"""A small classifier of the user's own data, as a feature extractor.

For machines that cannot have the FID network, and for pictures unlike photographs. It
trains in about a minute. Its scores rank models of the same data; they are not FID,
and can be compared only for the same classifier (see its SHA-256 in the protocol).
"""

import pathlib

import keras
import numpy as np

from keras_sagan.files import keras_files, writing
from keras_sagan.metrics.extractors.extractor import keras_extractor

FEATURES = "features"  # name of the layer


def train_classifier(images, labels, epochs=4, seed=0):
    """Trains a convolutional classifier.

    Args:
        images: uint8 array `(n, height, width, channels)`; at least 8 pixels high.
        labels: integer array `(n,)`.
        epochs: int.
        seed: int. Resets Keras's, NumPy's and Python's generators.

    Returns: compiled `keras.Model` from uint8 images to logits, whose layer
        "features" has 128 units.

    Raises:
        ValueError: if `labels` is `None`, or there is one class only.
    """
    if labels is None or len(np.unique(labels)) < 2:
        raise ValueError(
            "`labels` must hold at least two classes for a classifier to tell apart. "
            f"Received: {None if labels is None else np.unique(labels).tolist()}."
        )
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input(images.shape[1:]),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(128, activation="relu", name=FEATURES),
            layers.Dense(int(np.max(labels)) + 1),
        ]
    )
    model.compile(
        optimizer="adam",
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(images, labels, batch_size=128, epochs=epochs, verbose=0)
    return model


def classifier_extractor(model):
    """The classifier as an extractor: 128 features, and logits.

    Args:
        model: what `train_classifier` returned, saved and loaded or not.
    """
    return keras_extractor(model, "classifier", features=FEATURES)


def load_or_train(path, source, epochs=4, seed=0):
    """The classifier saved at `path`; trained on a data source first if there is none.

    Args:
        path: path ending in `.keras`, or `None` to keep none.
        source: function without arguments to `(images, labels)`, called to train.
        epochs: see `train_classifier`.
        seed: see `train_classifier`.
    """
    path = None if path is None else pathlib.Path(path)
    if path is not None and path.is_file():
        return keras_files.load(path)
    model = train_classifier(*source(), epochs=epochs, seed=seed)
    if path is not None:
        writing.make_folder(path.parent)
        writing.replace_file(path, model.save)
    return model
