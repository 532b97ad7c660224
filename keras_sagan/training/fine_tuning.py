"""A trained model as the beginning of another one, whose classes may be others.

Every weight is kept but the rows of classes that are new: the scales and offsets of
the generator's conditional batch norms, and the discriminator's embedding, begin at
the mean of the rows that there are. A class is known by its name.
"""

import numpy as np

from keras_sagan.layers.checks import check_positive_integer
from keras_sagan.layers.conditional_batch_normalization import (
    ConditionalBatchNormalization,
)
from keras_sagan.layers.spectral_normalization import SpectralNormalization

_EMBEDDING = "embedding"  # the discriminator's layer that knows the classes
_POWER_ITERATIONS = 15  # as a new layer makes


def take_over(gan, source):
    """Sets the weights of a model to those of another, whose classes may be others.

    Either may be unconditional. Where `source` has no embedding, the one of `gan`
    stays as it was made.

    Args:
        gan: `SAGAN`. Its optimizers and its step stay as they are.
        source: `SAGAN` with the same networks but for the classes.

    Raises:
        ValueError: if the networks differ in something else.
    """
    kept = _kept_classes(gan, source)
    for name in ("generator", "ema_generator", "discriminator"):
        network, other = getattr(gan, name), getattr(source, name)
        _check_alike(name, network, other)
        for layer in network.layers:
            if layer.name == _EMBEDDING:
                if other.num_classes is not None:
                    _take_over_embedding(layer, other.get_layer(_EMBEDDING), kept)
            elif layer.weights:
                _take_over_layer(layer, other.get_layer(layer.name), kept)


def with_classes(source, num_classes, class_names, copy_weights=True):
    """A model like `source` for other classes, not trained on them yet.

    It is compiled as `source`; its optimizers begin anew.

    Args:
        source: `SAGAN`.
        num_classes: int > 0, or None for an unconditional model.
        class_names: sequence of str, one a class, or None.
        copy_weights: bool. Whether the weights are those of `take_over`.

    Raises:
        ValueError: if the number or the names are none that a model can have.
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


def _kept_classes(gan, source):
    """For each class of `gan`, the index of that of its name in `source`, or None."""
    if gan.num_classes is None:
        return None
    known = {name: i for i, name in enumerate(source.class_names or ())}
    return [known.get(x) for x in gan.class_names or [None] * gan.num_classes]


def _frequencies(gan, source):
    """The `fake_label_weights` of `source` for the classes of `gan`.

    None, that is equal ones, unless every class has a name that `source` knows.
    """
    weights, kept = source.fake_label_weights, _kept_classes(gan, source)
    if weights is None or kept is None or None in kept:
        return None
    frequencies = [weights[i] for i in kept]
    return frequencies if any(frequencies) else None


def _check_alike(name, network, other):
    free = ("num_classes", "name", "dtype", "synchronized", "trainable")
    free += ("frozen", "thawed")
    ours, theirs = (
        {k: v for k, v in x.get_config().items() if k not in free}
        for x in (network, other)
    )
    different = [k for k in ours if ours[k] != theirs[k]]
    if different:
        raise ValueError(
            f"The {name} must be like that of the model to begin with, but for its "
            "classes. Received: "
            + ", ".join(f"{k}={ours[k]!r}, there {theirs[k]!r}" for k in different)
        )


def _take_over_layer(layer, other, kept):
    of_classes = [isinstance(x, ConditionalBatchNormalization) for x in (layer, other)]
    for weight, value in zip(layer.weights, other.weights, strict=True):
        new = np.array(value)
        if any(of_classes) and weight.name in ("gamma", "beta"):
            new = _rows(new if of_classes[1] else new[None], kept)
        weight.assign(new)


def _take_over_embedding(layer, other, kept):
    normalized = isinstance(layer, SpectralNormalization)
    table = np.array(_embedding(other).embeddings)
    _embedding(layer).embeddings.assign(_rows(table, kept))
    if normalized:
        layer.advance(_POWER_ITERATIONS)


def _embedding(layer):
    return layer.layer if isinstance(layer, SpectralNormalization) else layer


def _rows(table, kept):
    """A table's rows for other classes; its mean row for an unconditional model."""
    mean = table.mean(axis=0)
    if kept is None:
        return mean
    return np.stack([mean if i is None else table[i] for i in kept])
