"""Files that somebody else may have written: read without running or filling anything.

A preset directory is data: its configuration may name only this package's models,
Keras's optimizers and what the running program has registered itself, and its weights
may be plain arrays only, no larger than the file.
"""

import json
import pathlib

import h5py
import keras

_LARGEST_JSON = 1 << 20  # bytes
_DEEPEST = 32  # groups within groups

_OURS = {"SAGAN", "Generator", "Discriminator"}
_KERAS_MODULES = {
    "keras.initializers",
    "keras.optimizers",
    "keras.optimizers.schedules",
}
_KERAS_CLASSES = {"DTypePolicy", "DTypePolicyMap"}  # of the module "keras"


def read_json(path):
    """The object in a JSON file.

    Raises:
        ValueError: if it is no JSON object, or larger than a configuration can be.
        OSError: if it cannot be read.
    """
    path = pathlib.Path(path)
    size = path.stat().st_size
    if size > _LARGEST_JSON:
        raise ValueError(
            f"{str(path)!r} must be at most {_LARGEST_JSON} bytes. Received: {size}."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{str(path)!r} must hold a JSON object.")
    return content


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


def check_weights(path):
    """Checks that an HDF5 file holds plain arrays and nothing else.

    Returns: int. Bytes of its arrays.

    Raises:
        ValueError: naming what it holds besides, e.g. a link to another file, or a
            compressed array; or if it is damaged.
    """
    path = pathlib.Path(path)
    try:
        with h5py.File(path, "r") as file:
            total = sum(_array_bytes(file, str(path), depth=0))
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(f"{str(path)!r} is not a file of weights: {error}.") from error
    size = path.stat().st_size
    if total > size:
        raise ValueError(
            f"{str(path)!r} is damaged: its arrays have {total} bytes, it has {size}."
        )
    return total


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


def _array_bytes(group, origin, depth):
    """The size of every array of a group, checked."""
    if depth > _DEEPEST:
        raise ValueError(f"{origin!r} has groups more than {_DEEPEST} deep.")
    for name in group:
        link = group.get(name, getlink=True)
        where = f"{origin!r} holds {f'{group.name}/{name}'!r}"
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{where}, a link to something else.")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _array_bytes(item, origin, depth + 1)
            continue
        if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf":
            # Keras writes texts as attributes or as "vars" of StringLookup only.
            raise ValueError(f"{where}, which is no array of numbers.")
        if item.external or item.is_virtual:
            raise ValueError(f"{where}, an array in another file.")
        if item.id.get_create_plist().get_nfilters():
            raise ValueError(f"{where}, a compressed array.")
        yield item.nbytes
