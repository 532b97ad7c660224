"""Configurations that somebody else may have written, checked before they are built.

They may name only this package's models, Keras's optimizers and initializers, and what
the running program has registered itself, and networks no larger than their weights.
"""

import keras

from keras_sagan.models import architectures

_OURS = {"SAGAN", "Generator", "Discriminator"}
_KERAS_MODULES = {
    "keras.initializers",
    "keras.optimizers",
    "keras.optimizers.schedules",
}
_KERAS_CLASSES = {"DTypePolicy", "DTypePolicyMap"}  # of the module "keras"


def check_objects(config):
    """Raises a `ValueError` unless a configuration makes known objects only.

    Args:
        config: what `keras.saving.serialize_keras_object` gave, read from a file.
    """
    if isinstance(config, (list, tuple)):
        for item in config:
            check_objects(item)
    if not isinstance(config, dict):
        return
    if {"class_name", "module", "registered_name"} & set(config):
        _check_object(config)
    for value in config.values():
        check_objects(value)


def check_size(config, available):
    """Raises a `ValueError` if networks are larger than their file of weights.

    Args:
        config: the serialised `SAGAN`.
        available: int. Bytes of the arrays in the file.
    """
    for name in ("generator", "discriminator"):
        arguments = config["config"][name]["config"]
        width = arguments.get("base_filters", 64)
        classes = arguments.get("num_classes") or 0
        latent = arguments.get("latent_dim", 0)
        # The least that the first dense layer, a convolution and a table of the
        # classes can have, float32.
        least = 4 * (64 * latent * width + 9 * width * width + classes * width)
        if least > available:
            raise ValueError(
                f"The {name} needs at least {least} bytes of weights, but its file "
                f"has {available}. Received: base_filters={width}, "
                f"num_classes={classes}, latent_dim={latent}."
            )


def _check_object(config):
    module, name = config.get("module"), config.get("class_name")
    registered = config.get("registered_name")
    allowed = (
        (registered in {f"keras_sagan>{x}" for x in _OURS})
        or (module in _KERAS_MODULES and registered in (None, name))
        or (module == "keras" and name in _KERAS_CLASSES)
        or (
            isinstance(registered, str)
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
