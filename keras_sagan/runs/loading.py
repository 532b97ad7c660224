"""Finds and opens models by name, e.g. runs, model directories and exports.

All commands that take a model use these functions.
"""

import dataclasses
import enum
import pathlib

from keras_sagan.config.presets import PRESETS
from keras_sagan.export.publishing import newest_saved_model
from keras_sagan.files import json_files, paths
from keras_sagan.hub import addresses
from keras_sagan.hub.addresses import Address
from keras_sagan.runs import building, checkpoint_files, checkpoints, facts, reading
from keras_sagan.sagan import SAGAN
from keras_sagan.training import saving


class Kind(enum.Enum):
    """The kind of a model; messages describe it by the value."""

    RUN = "a run"
    MODEL = "the directory of a model"
    KERAS = "a .keras file"
    EXPORT = "an exported model"
    PRESET = "a preset: settings, and no weights"
    FOREIGN = "a model for another program"
    HUB = "a model on a hub"


PRESET = "preset"  # folder with the exported model, beside the versions of an export

_TRAINED = (Kind.RUN, Kind.MODEL, Kind.KERAS, Kind.HUB)
_TRAIN = "keras-sagan train --dataset NAME"


@dataclasses.dataclass(frozen=True)
class Location:
    """The kind and the place of a model.

    Args:
        kind: `Kind`.
        path: path of the run, model, SavedModel or file; the name of a preset; or the
            `Address` of a model on a hub.
    """

    kind: Kind
    path: pathlib.Path | Address

    @property
    def title(self):
        """str. Name of the model for headings."""
        if self.kind is Kind.HUB:
            return self.path.name
        return self.path.resolve().name

    def refuse(self, needed, command):
        """Returns a `ValueError` for a command that cannot use this kind of model.

        Args:
            needed: str. Description of the kind that the command needs.
            command: str. Command that makes a model of that kind.
        """
        if self.kind is Kind.PRESET:
            command = f"{_TRAIN} --preset {self.path}"
        return ValueError(
            f"{str(self.path)!r} is {self.kind.value}, but {needed} is needed. Make "
            f"one with: {command}"
        )


def locate(name):
    """Finds the model with a name, without loading it or asking a hub for it.

    Args:
        name: str or path. The directory of a run, the directory of a model (`RUN/model`
            or one written by `save_to_preset`), a `.keras` file, a model on a hub
            (`hf://USER/NAME` or `kaggle://...`), an export (`saved_models/NAME` for
            its newest version, or `saved_models/NAME/1`), or a preset.

    Returns: `Location`.

    Raises:
        FileNotFoundError: if there is nothing of these.
        ValueError: if it is an address, but not of a hub or not of the right form.
    """
    if addresses.is_address(name):
        return Location(Kind.HUB, addresses.parse(name))
    path = paths.local(name)
    if (location := _location_at(path)) is not None:
        return location
    if not path.exists() and str(name) in PRESETS:
        return Location(Kind.PRESET, path)
    raise FileNotFoundError(
        f"There is no trained model at {str(name)!r}: expected a run, the directory of "
        "a model (RUN/model), a .keras file, an export (saved_models/NAME, "
        f"saved_models/NAME/1), or a model on a hub ({addresses.FORMS})."
    )


def _location_at(path):
    """Returns the `Location` of the model at a path, or None if there is none."""
    if (path / saving.WEIGHTS).is_file():
        return Location(Kind.MODEL, path)
    if _is_run(path / reading.CONFIG):
        return Location(Kind.RUN, path)
    if (path / reading.MODEL / saving.WEIGHTS).is_file():
        return Location(Kind.MODEL, path / reading.MODEL)
    if (folder := newest_saved_model(path)) is not None:
        return Location(Kind.EXPORT, folder)
    if path.is_file() and path.suffix in (".keras", ".onnx", ".tflite"):
        return Location(Kind.KERAS if path.suffix == ".keras" else Kind.FOREIGN, path)
    return None


def _is_run(config):
    """Returns whether a file holds the settings of a run, or is damaged."""
    try:
        return config.is_file() and "training" in json_files.read(config)
    except ValueError:
        return True


def open_model(name):
    """Opens a trained or an exported model.

    Args:
        name: as for `locate`.

    Returns: `SAGAN`, or `ExportedModel`, which has the same methods `generate` and
        `attention_maps`.

    Raises:
        FileNotFoundError, ValueError: as for `load_trained`, or if an export is
            damaged.
    """
    from keras_sagan.export.loading import ExportedModel

    location = locate(name)
    if location.kind is Kind.EXPORT:
        return ExportedModel(location.path)
    return load_trained(name)


def load_trained(name):
    """Loads a trained model with both networks.

    Args:
        name: str or path. A run (or its newest checkpoint if it is unfinished), the
            directory of a model, a `.keras` file, the directory of an export that
            contains the exported model (`saved_models/NAME/preset`), or a model on a
            hub.

    Returns: `SAGAN`.

    Raises:
        FileNotFoundError: if there is no model, or if the run has none yet.
        ValueError: if it is another kind of model, or if it is damaged.
    """
    location = locate(name)
    if location.kind is Kind.EXPORT:
        preset = paths.local(name) / PRESET
        if (preset / saving.WEIGHTS).is_file():
            location = Location(Kind.MODEL, preset)
    if location.kind not in _TRAINED:
        raise location.refuse("a trained model with both of its networks", _TRAIN)
    if location.kind is Kind.KERAS:
        return saving.load_file(location.path)
    if location.kind in (Kind.MODEL, Kind.HUB):
        return SAGAN.from_preset(str(location.path))
    model = location.path / reading.MODEL
    if (model / saving.WEIGHTS).is_file():
        return SAGAN.from_preset(str(model))
    newest = checkpoint_files.read_newest(location.path / reading.CHECKPOINTS)
    if newest is not None:
        return _restore(location.path, newest)
    raise FileNotFoundError(
        f"There is no trained model in {str(location.path)!r} yet: it has neither "
        f"{reading.MODEL}/ nor a checkpoint."
    )


def find_export(name):
    """Returns the directory of an exported model: that of all versions, or of one.

    Raises:
        FileNotFoundError, ValueError: as for `locate`, or if it is another kind of
            model.
    """
    location = locate(name)
    if location.kind is not Kind.EXPORT:
        source = location.path if location.kind in _TRAINED else "RUN"
        raise location.refuse(
            "an exported model", f"keras-sagan export {source} -o saved_models/NAME"
        )
    return paths.local(name)


def find_run(name):
    """Returns the directory of a run.

    Raises:
        FileNotFoundError, ValueError: as for `locate`, or if it is another kind of
            model.
    """
    location = locate(name)
    if location.kind is not Kind.RUN:
        raise location.refuse("the directory of a run", _TRAIN)
    return location.path


def data_settings(name):
    """Returns what is known about the data that a model was trained on.

    Args:
        name: as for `locate`.

    Returns: dict with the section `data` of the run's settings, or {} if unknown.
    """
    from keras_sagan.export.card import read_card
    from keras_sagan.export.saved_model import EXTRA

    location = locate(name)
    if location.kind is Kind.RUN:
        return reading.data_settings(location.path)
    if location.kind is Kind.EXPORT:
        return dict(read_card(location.path / EXTRA).get("data") or {})
    return {}


def facts_of(name, step=None):
    """Returns what a model card says about the data and the training of a model.

    Args:
        name: as for `locate`.
        step: int, or None. Step of the model, if that may not be the last one of its
            run.

    Returns: dict, as returned by `reading.run_facts`.
    """
    location = locate(name)
    if location.kind is Kind.HUB:
        return {}
    return reading.run_facts(location.path, step)


def models_over_time(name):
    """Restores every checkpoint of a run into one model, oldest first.

    Args:
        name: str or path of a run directory.

    Yields: tuple `(step, gan)`, in which `gan` is the same object each time.

    Raises:
        FileNotFoundError: if there is no run, or if it has no checkpoints.
        ValueError: if it is another kind of model.
    """
    run = find_run(name)
    folder, gan = run / reading.CHECKPOINTS, None
    steps = checkpoint_files.steps(folder)
    if not steps:
        raise FileNotFoundError(
            f"{str(run)!r} has no checkpoints to show over time. Train with "
            "--checkpoint-every STEPS and --set logging.keep_checkpoints=N."
        )
    for step in steps:
        gan = _restore(run, checkpoint_files.read(folder, step), gan)
        yield step, gan


def _restore(run, checkpoint, gan=None):
    """Restores a checkpoint of a run into `gan`, which is built first if it is None."""
    if gan is None:
        config, _ = reading.read_config(run)
        gan = building.build(
            config, checkpoint.details.get("class_names"), facts.class_counts(run)
        )
    checkpoints.restore(gan, checkpoint.arrays)
    return gan
