"""Preset directories and named recipes of a `SAGAN`.

A directory holds `config.json` (architecture and compile arguments, as Keras
serialises them), `model.weights.h5` (every weight, optimizers included) and
`metadata.json` (versions).
"""

import importlib.metadata
import json
import pathlib

import keras

import keras_sagan
from keras_sagan.models.discriminator import Discriminator
from keras_sagan.models.generator import Generator
from keras_sagan.models.presets import get_preset
from keras_sagan.training import safe_files

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"


def save(gan, directory):
    """Write `gan` into `directory`, which must be new or empty.

    Raises:
        FileExistsError: if something is there already.
    """
    directory = pathlib.Path(directory)
    if directory.exists() and any(directory.iterdir()):
        raise FileExistsError(
            "`directory` must not exist yet, or be empty. "
            f"Received: directory={str(directory)!r}."
        )
    directory.mkdir(parents=True, exist_ok=True)
    gan.refresh_ema()
    config = keras.saving.serialize_keras_object(gan)
    _write_json(directory / CONFIG, config)
    _write_json(directory / METADATA, metadata())
    gan.save_weights(directory / WEIGHTS)


def load(cls, preset, load_weights, overrides):
    """A model from a directory if there is one of that name, else from a recipe."""
    directory = pathlib.Path(preset)
    if (directory / CONFIG).is_file():
        return _load_directory(directory, load_weights, overrides)
    if directory.exists() or len(directory.parts) > 1:
        raise ValueError(
            f"`preset` must be the name of a recipe or a directory with a {CONFIG}. "
            f"Received: preset={str(preset)!r}."
        )
    return from_recipe(cls, get_preset(str(preset)), overrides)


def from_recipe(cls, preset, overrides):
    """An untrained, compiled model after a `Preset`."""
    generator = preset.model.generator_kwargs()
    discriminator = preset.model.discriminator_kwargs()
    known = {**generator, **discriminator, "dtype": preset.training.dtype_policy}
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise ValueError(
            f"A recipe has these arguments to replace: {', '.join(known)}. "
            f"Received: {', '.join(unknown)}."
        )
    known = {**known, **overrides}
    gan = cls(
        Generator(**{name: known[name] for name in (*generator, "dtype")}),
        Discriminator(**{name: known[name] for name in (*discriminator, "dtype")}),
    )
    compile_from_settings(gan, preset.optimizer, preset.training)
    return gan


def compile_from_settings(gan, optimizer, training, **others):
    """Compile `gan` after an `OptimizerConfig` and a `TrainingConfig`.

    Further arguments are passed on to `compile`.
    """

    def adam(learning_rate):
        return keras.optimizers.Adam(
            learning_rate,
            beta_1=optimizer.beta_1,
            beta_2=optimizer.beta_2,
            epsilon=optimizer.epsilon,
        )

    gan.compile(
        g_optimizer=adam(optimizer.g_learning_rate),
        d_optimizer=adam(optimizer.d_learning_rate),
        loss=training.loss,
        discriminator_steps=training.discriminator_steps,
        ema_decay=training.ema_decay,
        ema_start=training.ema_start,
        gradient_accumulation_steps=training.gradient_accumulation_steps,
        seed=training.seed,
        **others,
    )


def metadata():
    """Versions that a saved model was made with."""
    return {
        "keras_sagan": keras_sagan.__version__,
        "keras": keras.__version__,
        "tensorflow": importlib.metadata.version("tensorflow"),
    }


def _load_directory(directory, load_weights, overrides):
    if overrides:
        raise ValueError(
            "A preset directory has its architecture; arguments cannot be replaced. "
            f"Received: {sorted(overrides)}."
        )
    config = safe_files.read_json(directory / CONFIG)
    safe_files.check_objects(config)
    if config.get("registered_name") != "keras_sagan>SAGAN":
        raise ValueError(f"{str(directory / CONFIG)!r} must describe a SAGAN.")
    if load_weights:
        safe_files.check_size(config, safe_files.check_weights(directory / WEIGHTS))
    gan = keras.saving.deserialize_keras_object(config)
    if load_weights:
        gan.load_weights(directory / WEIGHTS)
    return gan


def _write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
