"""The model of a run at each of its checkpoints."""

import pathlib


def models_over_time(run):
    """Restores every checkpoint of a run into one model, oldest first.

    Args:
        run: str or path of a run directory.

    Yields: `(step, gan)`; `gan` is the same object each time.

    Raises:
        FileNotFoundError: if there is no run, or it has no checkpoints.
    """
    from keras_sagan.training import (
        building,
        checkpoint_files,
        checkpointing,
        run_directory,
    )

    run = pathlib.Path(run)
    folder = run / run_directory.CHECKPOINTS
    steps = checkpoint_files.steps(folder)
    if not steps or not (run / run_directory.CONFIG_FILE).is_file():
        raise FileNotFoundError(
            f"{str(run)!r} has no checkpoints to show over time: expected the "
            "directory of a run with checkpoints/. Train with --checkpoint-every "
            "STEPS and --set logging.keep_checkpoints=N."
        )
    config, _ = run_directory.read_config(run)
    gan = None
    for step in steps:
        checkpoint = checkpoint_files.read(folder, step)
        gan = gan or building.build(config, checkpoint.details.get("class_names"))
        checkpointing.restore(gan, checkpoint.arrays)
        yield step, gan
