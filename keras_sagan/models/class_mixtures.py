"""Generators whose classes are mixtures of another generator's classes."""

import numpy as np

from keras_sagan.layers.conditional_batch_normalization import (
    ConditionalBatchNormalization,
)
from keras_sagan.models.generator import Generator


def mixed_generator(generator: Generator, mixtures: np.typing.ArrayLike) -> Generator:
    """A generator whose classes are mixtures of another's.

    All that a generator knows of classes are the tables of its batch norms, a row of
    scales and offsets a class. Rows of weighted means of them make classes between.

    Args:
        generator: `Generator` with classes.
        mixtures: float array `(n, num_classes)`; each row sums to 1.

    Returns: `Generator` with `n` classes and the other weights of `generator`.

    Raises:
        ValueError: if `mixtures` are not such an array.
    """
    mixtures = np.asarray(mixtures, np.float64)
    classes = generator.num_classes
    if mixtures.ndim != 2 or mixtures.shape[1] != classes:
        raise ValueError(
            f"`mixtures` must have shape (n, {classes}), a weight for each class. "
            f"Received shape: {mixtures.shape}."
        )
    config = generator.get_config() | {"num_classes": len(mixtures)}
    mixed = Generator.from_config(config)
    tables = {
        table.path
        for layer in generator.layers
        if isinstance(layer, ConditionalBatchNormalization)
        for table in (layer.gamma, layer.beta)
    }
    for weight, wanted in zip(generator.weights, mixed.weights, strict=True):
        value = weight.numpy()
        wanted.assign(mixtures @ value if weight.path in tables else value)
    return mixed
