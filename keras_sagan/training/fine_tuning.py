"""Starts a model from the weights of a trained one, which may have other classes.

Classes are matched by name. The scales and offsets in the generator's conditional batch
norms and the discriminator's embedding have one row per class. The row of a new class
starts as the mean of all rows of the trained model; all other weights are copied.
"""

import numpy as np

from keras_sagan.layers.checks import check_positive_integer
from keras_sagan.layers.conditional_batch_normalization import (
    ConditionalBatchNormalization,
)
from keras_sagan.layers.spectral_normalization import SpectralNormalization

_EMBEDDING = "embedding"  # name of the discriminator's layer for classes
_POWER_ITERATIONS = 15  # as many as a new layer runs


def take_over(gan, source):
    """Copies the weights of a model to another one, which may have other classes.

    Either may be unconditional. If `source` has no embedding, that of `gan` is not
    changed.

    Args:
        gan: `SAGAN` whose weights are set. Its optimizers and its step are unchanged.
        source: `SAGAN` whose networks differ from those of `gan` at most in the
            classes.

    Raises:
        ValueError: if the networks differ in anything else.
    """
    indices = _old_indices(gan, source)
    for name in ("generator", "ema_generator", "discriminator"):
        network, other = getattr(gan, name), getattr(source, name)
        _check_alike(name, network, other)
        for layer in network.layers:
            if layer.name == _EMBEDDING:
                if other.num_classes is not None:
                    _take_over_embedding(layer, other.get_layer(_EMBEDDING), indices)
            elif layer.weights:
                _take_over_layer(layer, other.get_layer(layer.name), indices)


def with_classes(source, num_classes, class_names, copy_weights=True):
    """Creates a model like `source` for other classes, on which it can be trained.

    If `source` is compiled, so is the new model, with new optimizers.

    Args:
        source: `SAGAN`.
        num_classes: int > 0, or None for an unconditional model.
        class_names: sequence of str with the name of each class, or None.
        copy_weights: bool. Whether to copy the weights of `source`; see `take_over`.

    Returns: model of the class of `source`.

    Raises:
        ValueError: if the number or the names of the classes are invalid.
    """
    if num_classes is not None:
        check_positive_integer("num_classes", num_classes, "or None (unconditional)")
    config = source.get_config()
    config["class_names"] = class_names
    for name in ("generator", "discriminator"):
        config[name]["config"]["num_classes"] = num_classes
    gan = type(source).from_config(config)
    if source.compiled:
        compiled = dict(source.get_compile_config())
        compiled["fake_label_weights"] = _frequencies(gan, source)
        gan.compile_from_config(compiled)
    if copy_weights:
        take_over(gan, source)
    return gan


def _old_indices(gan, source):
    """Returns for each class of `gan` its index in `source`, or None if it is new.

    If `gan` is unconditional, it returns None instead of a list.
    """
    if gan.num_classes is None:
        return None
    known = {name: i for i, name in enumerate(source.class_names or ())}
    return [known.get(x) for x in gan.class_names or [None] * gan.num_classes]


def _frequencies(gan, source):
    """Returns the `fake_label_weights` of `source` for the classes of `gan`.

    If any class of `gan` is new, it returns None, which means equal weights.
    """
    weights, indices = source.fake_label_weights, _old_indices(gan, source)
    if weights is None or indices is None or None in indices:
        return None
    frequencies = [weights[i] for i in indices]
    return frequencies if any(frequencies) else None


def _check_alike(name, network, other):
    ignored = ("num_classes", "name", "dtype", "synchronized", "trainable")
    ignored += ("frozen", "thawed")
    ours, theirs = (
        {k: v for k, v in x.get_config().items() if k not in ignored}
        for x in (network, other)
    )
    differences = [k for k in ours if ours[k] != theirs[k]]
    if differences:
        raise ValueError(
            f"The {name} must be like that of the model to begin with, except for its "
            "classes. Received: "
            + ", ".join(f"{k}={ours[k]!r}, there {theirs[k]!r}" for k in differences)
        )


def _take_over_layer(layer, other, indices):
    of_classes = [isinstance(x, ConditionalBatchNormalization) for x in (layer, other)]
    for weight, value in zip(layer.weights, other.weights, strict=True):
        new = np.array(value)
        if any(of_classes) and weight.name in ("gamma", "beta"):
            new = _rows(new if of_classes[1] else new[None], indices)
        weight.assign(new)


def _take_over_embedding(layer, other, indices):
    normalized = isinstance(layer, SpectralNormalization)
    table = np.array(_embedding(other).embeddings)
    _embedding(layer).embeddings.assign(_rows(table, indices))
    if normalized:
        layer.advance(_POWER_ITERATIONS)


def _embedding(layer):
    return layer.layer if isinstance(layer, SpectralNormalization) else layer


def _rows(table, indices):
    """Returns the rows of a table for other classes, or its mean row without classes.

    Args:
        table: array `(classes, ...)`.
        indices: list with an index or None for each class, or None without classes; see
            `_old_indices`.
    """
    mean = table.mean(axis=0)
    if indices is None:
        return mean
    return np.stack([mean if i is None else table[i] for i in indices])
