"""Trained models: from a run, its newest checkpoint, or a model directory."""

import pathlib

from keras_sagan.runs import building, checkpoint_files, checkpoints, reading
from keras_sagan.training import saving
from keras_sagan.training.sagan import SAGAN


def load_trained(path):
    """Loads a trained model.

    Args:
        path: str or path. A run directory (of an unfinished run, its newest
            checkpoint is taken), or the directory of a model.

    Raises:
        FileNotFoundError: if it is neither.
    """
    path = pathlib.Path(path)
    for folder in (path / reading.MODEL, path):
        if (folder / saving.WEIGHTS).is_file():
            return SAGAN.from_preset(str(folder))
    if checkpoint_files.steps(path / reading.CHECKPOINTS) and reading.is_run(path):
        return _load_checkpoint(path)
    raise FileNotFoundError(
        f"{str(path)!r} holds no trained model: expected the directory of a run with "
        f"{reading.MODEL}/ or a checkpoint, or a directory written by "
        "`save_to_preset`."
    )


def _load_checkpoint(path):
    config, _ = reading.read_config(path)
    checkpoint = checkpoint_files.read_newest(path / reading.CHECKPOINTS)
    gan = building.build(config, checkpoint.details.get("class_names"))
    checkpoints.restore(gan, checkpoint.arrays)
    return gan


def models_over_time(run):
    """Restores every checkpoint of a run into one model, oldest first.

    Args:
        run: str or path of a run directory.

    Yields: `(step, gan)`; `gan` is the same object each time.

    Raises:
        FileNotFoundError: if there is no run, or it has no checkpoints.
    """
    run = pathlib.Path(run)
    folder = run / reading.CHECKPOINTS
    steps = checkpoint_files.steps(folder)
    if not steps or not reading.is_run(run):
        raise FileNotFoundError(
            f"{str(run)!r} has no checkpoints to show over time: expected the "
            "directory of a run with checkpoints/. Train with --checkpoint-every "
            "STEPS and --set logging.keep_checkpoints=N."
        )
    config, _ = reading.read_config(run)
    gan = None
    for step in steps:
        checkpoint = checkpoint_files.read(folder, step)
        gan = gan or building.build(config, checkpoint.details.get("class_names"))
        checkpoints.restore(gan, checkpoint.arrays)
        yield step, gan
