"""Models by their names: what a user may name, and how each of it is opened.

Every command that takes a model opens it here.
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
    """What a name stands for; the value is what messages call it."""

    RUN = "a run"
    MODEL = "the directory of a model"
    KERAS = "a .keras file"
    EXPORT = "an exported model"
    PRESET = "a preset: settings, and no weights"
    FOREIGN = "a model for another program"
    HUB = "a model on a hub"


PRESET = "preset"  # beside the versions of an export: the model that was exported

_TRAINED = (Kind.RUN, Kind.MODEL, Kind.KERAS, Kind.HUB)
_TRAIN = "keras-sagan train --dataset NAME"


@dataclasses.dataclass(frozen=True)
class Location:
    """Where the model is that a name stands for.

    Args:
        kind: `Kind`.
        path: path of the run, model, SavedModel or file; of a preset its name, of a
            model on a hub its `Address`.
    """

    kind: Kind
    path: pathlib.Path | Address

    @property
    def title(self):
        """str. What a heading calls the model."""
        if self.kind is Kind.HUB:
            return self.path.name
        return self.path.resolve().name

    def refuse(self, needed, command):
        """The error for a command that cannot use this kind of model.

        Args:
            needed: str. What the command needs.
            command: str. What makes it.
        """
        if self.kind is Kind.PRESET:
            command = f"{_TRAIN} --preset {self.path}"
        return ValueError(
            f"{str(self.path)!r} is {self.kind.value}, but {needed} is needed. Make "
            f"one with: {command}"
        )


def locate(name):
    """Finds out what a name stands for; loads nothing and asks no hub.

    Args:
        name: str or path. A run (its directory), the directory of a model (`RUN/model`,
            or what `save_to_preset` wrote), a `.keras` file, a model on a hub
            (`hf://USER/NAME`, or `kaggle://...`), an export (`saved_models/NAME`, of
            which the newest version is taken, or `saved_models/NAME/1`), or a preset.

    Returns: `Location`.

    Raises:
        FileNotFoundError: if it is none of these.
        ValueError: if it is an address elsewhere, or one of a hub has another form.
    """
    if addresses.is_address(name):
        return Location(Kind.HUB, addresses.parse(name))
    path = paths.local(name)
    if (found := _found_at(path)) is not None:
        return found
    if not path.exists() and str(name) in PRESETS:
        return Location(Kind.PRESET, path)
    raise FileNotFoundError(
        f"There is no trained model at {str(name)!r}: expected a run, the directory of "
        "a model (RUN/model), a .keras file, an export (saved_models/NAME, "
        f"saved_models/NAME/1), or a model on a hub ({addresses.FORMS})."
    )


def _found_at(path):
    """`Location` of what is at a path, or None if that is no model."""
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
    """Whether a file holds the settings of a run, or is damaged."""
    try:
        return config.is_file() and "training" in json_files.read(config)
    except ValueError:
        return True


def open_model(name):
    """Opens a model that draws images, trained or exported.

    Args:
        name: as for `locate`.

    Returns: `SAGAN`, or `ExportedModel`, which has the same methods `generate` and
        `attention_maps`.

    Raises:
        FileNotFoundError, ValueError: as `load_trained`, or the export is damaged.
    """
    from keras_sagan.export.loading import ExportedModel

    location = locate(name)
    if location.kind is Kind.EXPORT:
        return ExportedModel(location.path)
    return load_trained(name)


def load_trained(name):
    """Loads a trained model with both networks.

    Args:
        name: str or path. A run (of an unfinished one, its newest checkpoint is
            taken), the directory of a model, a `.keras` file, the directory of an
            export that has its model beside its versions (`saved_models/NAME/preset`),
            or a model on a hub.

    Returns: `SAGAN`.

    Raises:
        FileNotFoundError: if there is no model, or the run has none yet.
        ValueError: if it is another kind of model, or damaged.
    """
    location = locate(name)
    if location.kind is Kind.EXPORT:
        beside = paths.local(name) / PRESET
        if (beside / saving.WEIGHTS).is_file():
            location = Location(Kind.MODEL, beside)
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
    """The directory of an exported model, as `name` says: of its versions, or of one.

    Raises:
        FileNotFoundError, ValueError: as `locate`, or it is another kind of model.
    """
    location = locate(name)
    if location.kind is not Kind.EXPORT:
        source = location.path if location.kind in _TRAINED else "RUN"
        raise location.refuse(
            "an exported model", f"keras-sagan export {source} -o saved_models/NAME"
        )
    return paths.local(name)


def find_run(name):
    """The directory of a run.

    Raises:
        FileNotFoundError, ValueError: as `locate`, or it is another kind of model.
    """
    location = locate(name)
    if location.kind is not Kind.RUN:
        raise location.refuse("the directory of a run", _TRAIN)
    return location.path


def data_settings(name):
    """What is known of the data that a model was trained on.

    Args:
        name: as for `locate`.

    Returns: dict, the section `data` of the run's settings; {} if it is not known.
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
    """What a model card says of the data and training of a trained model: dict.

    Args:
        name: as for `locate`.
        step: int, or None. Of the model, where its run may have come further.
    """
    location = locate(name)
    if location.kind is Kind.HUB:
        return {}
    return reading.run_facts(location.path, step)


def models_over_time(name):
    """Restores every checkpoint of a run into one model, oldest first.

    Args:
        name: str or path of a run directory.

    Yields: `(step, gan)`; `gan` is the same object each time.

    Raises:
        FileNotFoundError: if there is no run, or it has no checkpoints.
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
    """The model of a run as a checkpoint has it; `gan` if that was built before."""
    if gan is None:
        config, _ = reading.read_config(run)
        gan = building.build(
            config, checkpoint.details.get("class_names"), facts.class_counts(run)
        )
    checkpoints.restore(gan, checkpoint.arrays)
    return gan
