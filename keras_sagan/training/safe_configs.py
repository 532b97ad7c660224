"""Checks untrusted configurations of models before anything is built from them.

They may name only the models of this package, Keras's optimizers and initializers, and
classes that the running program has registered itself. Networks must not be larger than
their weights.
"""

import itertools

import keras

from keras_sagan.models import architectures

LARGEST = 1 << 33  # bytes of weights of a network, if there is no file of weights

_OURS = {"SAGAN", "Generator", "Discriminator"}
_DEEPEST = 64  # levels of nested objects and lists
_KERAS_MODULES = {
    "keras.initializers",
    "keras.optimizers",
    "keras.optimizers.schedules",
}
_KERAS_CLASSES = {"DTypePolicy", "DTypePolicyMap"}  # of the module "keras"


def check_objects(config, depth=0):
    """Raises a `ValueError` unless a configuration names only known classes.

    Args:
        config: value that `keras.saving.serialize_keras_object` returned, read from a
            file.
        depth: int. Number of objects and lists that contain it.
    """
    if depth > _DEEPEST:
        raise ValueError(f"The configuration is nested more than {_DEEPEST} deep.")
    if isinstance(config, dict):
        if {"class_name", "module", "registered_name"} & set(config):
            _check_object(config)
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for item in config:
            check_objects(item, depth + 1)


def check_size(config, available=LARGEST):
    """Raises a `ValueError` if networks are larger than their file of weights.

    Args:
        config: dict, a serialised `SAGAN`.
        available: int. Size in bytes of the arrays in the file.
    """
    needs = {"generator": _generator_weights, "discriminator": _discriminator_weights}
    for name, count in needs.items():
        size, latent, width, classes = _sizes(name, _arguments(config, name))
        least = 4 * count(size, latent, width, classes)  # float32
        if least > available:
            raise ValueError(
                f"The {name} needs at least {least} bytes of weights, but its file "
                f"has {available}. Received: image_size={size}, latent_dim={latent}, "
                f"base_filters={width}, num_classes={classes}."
            )


def _arguments(config, name):
    for key in ("config", name, "config"):
        config = config.get(key) if isinstance(config, dict) else None
    if not isinstance(config, dict):
        raise ValueError(f"The configuration must describe a {name}.")
    return config


def _sizes(name, arguments):
    """Returns image size, latent size, base filters and number of classes, checked."""
    defaults = {"image_size": 32, "base_filters": 64, "num_classes": 10}
    sizes = {"latent_dim": 128, **defaults, **arguments}
    if sizes["num_classes"] is None:
        sizes["num_classes"] = 0
    for key in ("latent_dim", *defaults):
        if type(sizes[key]) is not int or sizes[key] < 0:
            raise ValueError(
                f"`{key}` of the {name} must be a positive integer. "
                f"Received: {sizes[key]!r}."
            )
    size = sizes["image_size"]
    if size not in architectures.GENERATOR_WIDTHS:
        raise ValueError(
            f"`image_size` of the {name} must be one of "
            f"{', '.join(map(str, architectures.GENERATOR_WIDTHS))}. Received: {size}."
        )
    return size, sizes["latent_dim"], sizes["base_filters"], sizes["num_classes"]


def _generator_weights(size, latent_dim, width, classes):
    """Returns a lower bound of the number of weights of a generator."""
    first = architectures.GENERATOR_FIRST_WIDTH[size]
    widths = (first, *architectures.GENERATOR_WIDTHS[size])
    tables = 2 * classes * width * (sum(widths[:-1]) + sum(widths[1:]))
    dense = latent_dim * architectures.SMALLEST**2 * first * width
    return dense + _convolutions(widths, width) + tables


def _discriminator_weights(size, latent_dim, width, classes):
    widths = architectures.DISCRIMINATOR_WIDTHS[size]
    return _convolutions(widths, width) + classes * widths[-1] * width


def _convolutions(widths, width):
    """Returns the number of weights in the two 3 x 3 kernels of every block."""
    pairs = itertools.pairwise(widths)
    return 9 * width**2 * sum(b * (a + b) for a, b in pairs)


def _check_object(config):
    module, name = config.get("module"), config.get("class_name")
    registered = config.get("registered_name")
    allowed = all(isinstance(x, str | None) for x in (module, name, registered)) and (
        (registered in {f"keras_sagan>{x}" for x in _OURS})
        or (module in _KERAS_MODULES and registered in (None, name))
        or (module == "keras" and name in _KERAS_CLASSES)
        or (
            registered is not None
            and not registered.startswith("keras_sagan>")
            and keras.saving.get_registered_object(registered) is not None
        )
    )
    if not allowed:
        raise ValueError(
            "The configuration may name models of keras_sagan, optimizers and "
            "initializers of Keras, and registered classes only. Received: "
            f"class_name={name!r}, module={module!r}, registered_name={registered!r}."
        )
