"""Saves and loads a `SAGAN`: preset directories, models on hubs, and named recipes.

A preset directory holds `config.json` (architecture and compile arguments, as Keras
serialises them), `model.weights.h5` (all weights, with or without the state of the
optimizers), `metadata.json` (versions) and `README.md` (the model card). A model on a
hub has the same files.
"""

import contextlib
import functools
import os

import keras

from keras_sagan import versions
from keras_sagan.config.presets import get_preset
from keras_sagan.export import card
from keras_sagan.files import hdf5_files, json_files, keras_files, paths, writing
from keras_sagan.hub import addresses, clients
from keras_sagan.models.discriminator import Discriminator
from keras_sagan.models.generator import Generator
from keras_sagan.training import fine_tuning, safe_configs
from keras_sagan.training.settings import compile_from_settings

_H5_OVERHEAD = 1 << 14  # bytes for groups and names, at most, for each array

_SAGAN = "keras_sagan>SAGAN"  # the name of the class in files

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
FILES = (CONFIG, WEIGHTS, METADATA, card.TEXT)


def save(gan, directory, include_optimizer=True):
    """Writes a `SAGAN` to a directory, which must be new or empty.

    Raises:
        FileExistsError: if there is something already.
    """
    write_all = functools.partial(write, gan, include_optimizer=include_optimizer)
    writing.create_folder(directory, write_all)


def write(gan, folder, facts=None, include_optimizer=True, **details):
    """Writes the files of a `SAGAN` into an empty folder that nobody uses yet.

    Args:
        gan: `SAGAN`.
        folder: path.
        facts: dict, or None. Facts about the data and the training for the model card.
        include_optimizer: bool. Whether to write the state of the optimizers, too.
        **details: further arguments of `model_card`.
    """
    gan.refresh_ema()
    config = keras.saving.serialize_keras_object(gan)
    writing.write_new(folder / CONFIG, writing.json_text(config))
    writing.write_new(folder / METADATA, writing.json_text(versions.metadata()))
    writing.write_new(folder / card.TEXT, card.preset_text(_card(gan, facts, details)))
    _write_weights(gan if include_optimizer else _uncompiled(gan), folder / WEIGHTS)


def _uncompiled(gan):
    """Returns a copy of a model without optimizers."""
    copy = type(gan).from_config(gan.get_config())
    copy.set_weights(gan.get_weights())
    return copy


def _card(gan, facts, details):
    return card.model_card(
        gan.generator,
        f"SAGAN, {gan.generator.image_size} x {gan.generator.image_size}",
        gan.class_names,
        facts or {"training": {"steps": gan.step}},
        class_weights=gan.fake_label_weights,
        **details,
    )


def upload_preset(uri: str, preset: str | os.PathLike) -> None:
    """Uploads the directory of a model to a hub.

    Only the files that `save_to_preset` writes are uploaded, from the account with
    which the client library of the hub is logged in.

    Args:
        uri: str. `"hf://USER/NAME"` (Hugging Face) or
            `"kaggle://USER/MODEL/FRAMEWORK/VARIATION"`. The model is created if it
            does not exist, or gets a new version.
        preset: str or path. Directory written by `save_to_preset` or by a run
            (`RUN/model`).

    Raises:
        ValueError: if `uri` has another form, or if the model is damaged.
        FileNotFoundError: if there is no model in the directory.
        ImportError: if the client library of the hub is not installed.
        OSError: if the hub cannot be reached, or refuses access.

    Example:
        gan.save_to_preset("cats")
        keras_sagan.upload_preset("hf://USER/cats", "cats")
        gan = keras_sagan.SAGAN.from_preset("hf://USER/cats")
    """
    address, directory = addresses.parse(uri), paths.local(preset)
    _check_present(directory, CONFIG, WEIGHTS)
    read_config(directory)
    present = [name for name in FILES if (directory / name).is_file()]
    clients.upload(address, directory, present)


def _check_present(directory, *names):
    missing = [name for name in names if not (directory / name).is_file()]
    if missing:
        raise FileNotFoundError(
            "`preset` must be the directory of a model, written by `save_to_preset` or "
            f"by a run (RUN/model). Received: {str(directory)!r}, without "
            f"{' and '.join(missing)}."
        )


def load(cls, preset, load_weights, overrides):
    """Loads a model from a hub or a directory, or creates one from a recipe.

    Args:
        cls: `SAGAN`, or a subclass.
        preset: str or path. Address on a hub, directory, or name of a recipe.
        load_weights: bool. Whether to load the weights, of a hub or a directory.
        overrides: dict of arguments that replace those of the preset.

    Returns: model of `cls`.
    """
    overrides = dict(overrides)
    if overrides.get("class_names") is not None:
        overrides.setdefault("num_classes", len(overrides["class_names"]))
    if addresses.is_address(preset):
        address = addresses.parse(preset)
        with _naming_address(address):
            directory = _fetch(address, load_weights, cls)
            return _load_directory(cls, directory, load_weights, overrides)
    directory = paths.local(preset)
    if (directory / CONFIG).is_file():
        if load_weights:
            _check_present(directory, WEIGHTS)
        return _load_directory(cls, directory, load_weights, overrides)
    if directory.exists() or len(directory.parts) > 1:
        raise ValueError(
            f"`preset` must be the name of a recipe or a directory with a {CONFIG}. "
            f"Received: preset={str(preset)!r}."
        )
    return _from_recipe(cls, get_preset(str(preset)).run_config(), overrides)


def _fetch(address, load_weights, cls):
    """Fetches the files of a model from a hub, and returns the folder with them.

    The configuration is checked before the weights are fetched.
    """
    path, address = clients.fetch(address, CONFIG, json_files.LARGEST)
    _check_config(json_files.read(path), cls=cls)
    if load_weights:
        clients.fetch(address, WEIGHTS)
    return path.parent


@contextlib.contextmanager
def _naming_address(address):
    """Adds the address of a model to errors about its files."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{str(address)!r} cannot be used: {error}") from error


def _from_recipe(cls, config, overrides):
    """Creates an untrained, compiled model from a `RunConfig`.

    Entries of `overrides` replace arguments of each network that has them.
    """
    dtype = {"dtype": config.training.dtype_policy}
    names = overrides.pop("class_names", None)
    generator = {**config.model.generator_kwargs(), "synchronized": False, **dtype}
    discriminator = {**config.model.discriminator_kwargs(), **dtype}
    allowed = {**generator, **discriminator}
    unknown = sorted(set(overrides) - set(allowed))
    if unknown:
        raise ValueError(
            "These arguments of a recipe can be replaced: class_names, "
            f"{', '.join(allowed)}. "
            f"Received: {', '.join(unknown)}."
        )
    gan = cls(
        Generator(**{name: overrides.get(name, x) for name, x in generator.items()}),
        Discriminator(
            **{name: overrides.get(name, x) for name, x in discriminator.items()}
        ),
        class_names=names,
    )
    compile_from_settings(gan, config.optimizer, config.training)
    return gan


def _load_directory(cls, directory, load_weights, overrides):
    """Loads the model of a directory, for other classes if the overrides name them."""
    allowed = {"synchronized", "num_classes", "class_names"}
    unknown = sorted(set(overrides) - allowed)
    if unknown:
        raise ValueError(
            "The architecture of a preset directory is fixed: only the arguments "
            "`num_classes`, `class_names` and `synchronized` can be replaced. "
            f"Received: {unknown}."
        )
    if "num_classes" in overrides:
        classes = overrides.pop("num_classes"), overrides.pop("class_names", None)
        gan = _load_as_it_is(cls, directory, load_weights, overrides)
        return fine_tuning.with_classes(gan, *classes, copy_weights=load_weights)
    return _load_as_it_is(cls, directory, load_weights, overrides)


def _load_as_it_is(cls, directory, load_weights, overrides):
    config = read_config(directory, load_weights, cls)
    config["config"]["generator"]["config"].update(overrides)
    kind = _class_of(config, cls)
    config["registered_name"] = _SAGAN
    path, weights = directory / CONFIG, directory / WEIGHTS
    compile_config = None
    if load_weights and not _has_optimizers(weights):  # then compiled after loading
        compile_config = config.pop("compile_config", None)
    with _naming(path, "does not describe a SAGAN that can be built"):
        with keras.saving.CustomObjectScope({_SAGAN: kind}):
            gan = keras.saving.deserialize_keras_object(config)
    if load_weights:
        with _naming(weights, f"does not hold the weights that {CONFIG} describes"):
            gan.load_weights(weights)
    if compile_config is not None:
        with _naming(path, "does not describe how its model was compiled"):
            gan.compile_from_config(compile_config)
    return gan


def _has_optimizers(weights):
    with hdf5_files.opened(weights) as file:
        return "g_optimizer" in file


def read_config(directory, load_weights=True, cls=None):
    """Reads the configuration in a directory, and checks that it is safe to build.

    Args:
        directory: path.
        load_weights: bool. Whether to check the file of weights, too.
        cls: class of the model that it must describe: `SAGAN`, or a subclass.

    Returns: dict.

    Raises:
        ValueError: if it is damaged, names other objects than a `SAGAN` has, or
            describes networks larger than the weights beside it.
        OSError: if a file cannot be read.
    """
    path, weights = directory / CONFIG, directory / WEIGHTS
    config = json_files.read(path)
    try:
        available = (hdf5_files.check(weights),) if load_weights else ()
        _check_config(config, *available, cls=cls)
    except ValueError as error:
        raise ValueError(f"{str(path)!r} cannot be used: {error}") from error
    return config


def load_file(path):
    """Loads the model in a `.keras` file of `gan.save`, checked like a directory.

    Returns: `SAGAN`.

    Raises:
        ValueError: if it is damaged, holds another model, names other objects than a
            `SAGAN` has, or describes networks larger than their weights.
        OSError: if it cannot be read.
    """
    return keras_files.load(path, _check_config)


def _check_config(config, available=safe_configs.LARGEST, cls=None):
    """Raises a `ValueError` unless the configuration is that of a `SAGAN`.

    Args:
        config: dict.
        available: int. Size of the weights in bytes, which the networks must not
            exceed.
        cls: as for `read_config`.
    """
    if not isinstance(config, dict):
        raise ValueError("It must describe a SAGAN.")
    _class_of(config, cls)
    safe_configs.check_objects({**config, "registered_name": _SAGAN})
    safe_configs.check_size(config, available)


def _class_of(config, cls):
    """Returns the class of the model that a configuration describes.

    That is the registered class that it names. A plain `SAGAN` can be loaded as any
    subclass, `cls`.

    Raises:
        ValueError: if the class is not registered, or is not a subclass of `cls`.
    """
    registered = keras.saving.get_registered_object(_SAGAN)
    cls = cls or registered
    name, registered_name = config.get("class_name"), config.get("registered_name")
    if registered_name == _SAGAN:
        return cls
    if not isinstance(registered_name, str):
        raise ValueError("It must describe a SAGAN.")
    if registered_name == keras.saving.get_registered_name(cls):
        return cls
    kind = keras.saving.get_registered_object(registered_name)
    if isinstance(kind, type) and issubclass(kind, cls):
        return kind
    raise ValueError(
        f"It must describe a {cls.__name__}. Received: a {name}, which "
        f"`{cls.__name__}.from_preset` does not know: call `{name}.from_preset`, or "
        "import the module that registers that class with "
        "`keras.saving.register_keras_serializable`."
    )


def check_format(filepath):
    """Raises a `ValueError` for a file that Keras would write in its older format."""
    if str(filepath).endswith((".h5", ".hdf5")):
        raise ValueError(
            "Keras's older format cannot hold two networks with an optimizer each. "
            "Save to a name that ends in `.keras`, use `save_to_preset`, or "
            "`save_weights` for the weights alone. Received: "
            f"filepath={str(filepath)!r}."
        )


@contextlib.contextmanager
def _naming(path, problem):
    """Turns any error into a `ValueError` that names a file."""
    try:
        yield
    except Exception as error:  # untrusted arguments can make Keras raise anything
        raise ValueError(
            f"{str(path)!r} {problem}: {type(error).__name__}: {error}"
        ) from error


def _write_weights(gan, path):
    """Writes HDF5 if there is room for it; its library crashes on a full disk."""
    size = sum(variable.value.numpy().nbytes for variable in _all_variables(gan))
    room = size + _H5_OVERHEAD * (1 + len(_all_variables(gan)))
    writing.make_room(path, room)
    with writing.naming(path):
        gan.save_weights(path)


def _all_variables(gan):
    optimizers = [getattr(gan, f"{x}_optimizer", None) for x in "gd"]
    return [*gan.variables, *(v for o in optimizers if o for v in o.variables)]
