"""Assigns imported arrays to networks, and assembles a `SAGAN` from them."""

import itertools

from keras_sagan.models import architectures
from keras_sagan.models.discriminator import Discriminator
from keras_sagan.sagan import SAGAN


def named_variables(network):
    """Returns the weights of a network by their short names.

    Returns: dict from names such as `"block1_conv1/kernel"` or `"attention_16/query/u"`
        to variables.
    """
    return {_short_name(variable.path): variable for variable in network.weights}


def assign(network, arrays):
    """Sets every weight of a network.

    Args:
        network: `Generator` or `Discriminator`.
        arrays: dict from the names of `named_variables` to arrays.

    Raises:
        ValueError: if a name is missing or unknown, or if a shape differs. No weight
            has been changed in that case.
    """
    variables = named_variables(network)
    for name in sorted(variables.keys() ^ arrays.keys()):
        raise ValueError(f"`arrays` must name every weight. First difference: {name}.")
    for name, variable in variables.items():
        if tuple(variable.shape) != arrays[name].shape:
            raise ValueError(
                f"{name} must have shape {tuple(variable.shape)}. "
                f"Received: shape {arrays[name].shape}."
            )
    for name, variable in variables.items():
        variable.assign(arrays[name])


def build_gan(generator, discriminator=None, averaged=None):
    """Builds a compiled `SAGAN` that generates with exactly the imported weights.

    Args:
        generator: `Generator` with the imported weights.
        discriminator: `Discriminator` with the imported weights, or None for an
            untrained one of the same size.
        averaged: dict of arrays for `ema_generator`, or None to use the generator's.

    Returns: `SAGAN`. The batch-norm statistics and spectral norms of its
        `ema_generator` are the imported ones until its weights change.
    """
    if discriminator is None:
        discriminator = _matching_discriminator(generator)
    gan = SAGAN(generator, discriminator)
    if averaged is not None:
        assign(gan.ema_generator, averaged)
    gan.compile()
    gan.accept_ema_statistics()
    return gan


def _matching_discriminator(generator):
    produced = architectures.discriminator_resolutions(generator.image_size)
    resolutions = [x for x in generator.attention_resolutions if x in produced]
    return Discriminator(
        image_size=generator.image_size,
        num_classes=generator.num_classes,
        base_filters=generator.base_filters,
        channels=generator.channels,
        attention_resolutions=tuple(resolutions),
        attention=generator.attention,
    )


def _short_name(path):
    """Shortens `"a/a/kernel"`, of a wrapper and the layer in it, to `"a/kernel"`."""
    return "/".join(part for part, _ in itertools.groupby(path.split("/")))
