"""Generators whose classes are mixtures of the classes of another generator."""

import numpy as np

from keras_sagan.layers.conditional_batch_normalization import (
    ConditionalBatchNormalization,
)
from keras_sagan.models.generator import Generator


def mixed_generator(generator: Generator, mixtures: np.typing.ArrayLike) -> Generator:
    """Returns a generator whose classes are mixtures of those of another one.

    The only parameters of a generator that depend on the class are the tables of its
    batch norms, with one row of scales and offsets per class. A weighted mean of rows
    gives a class in between.

    Args:
        generator: `Generator` with classes.
        mixtures: float array `(n, num_classes)`; each row sums to 1.

    Returns: `Generator` with `n` classes and the other weights of `generator`.

    Raises:
        ValueError: if `mixtures` does not have that shape.
    """
    mixtures = np.asarray(mixtures, np.float64)
    classes = generator.num_classes
    if mixtures.ndim != 2 or mixtures.shape[1] != classes:
        raise ValueError(
            f"`mixtures` must have shape (n, {classes}), a weight for each class. "
            f"Received shape: {mixtures.shape}."
        )
    config = generator.get_config() | {"num_classes": len(mixtures)}
    mixture = Generator.from_config(config)
    tables = {
        table.path
        for layer in generator.layers
        if isinstance(layer, ConditionalBatchNormalization)
        for table in (layer.gamma, layer.beta)
    }
    for weight, target in zip(generator.weights, mixture.weights, strict=True):
        value = weight.numpy()
        target.assign(mixtures @ value if weight.path in tables else value)
    return mixture
