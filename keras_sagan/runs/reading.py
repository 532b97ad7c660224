"""The directory of a run: its names, and what is there, read without the model.

Whoever writes a file of a run takes its name from here. JSON is read as that of others
is: of bounded size.
"""

import contextlib
import csv
import dataclasses

from keras_sagan.callbacks.evaluation import TABLE
from keras_sagan.config.run import RunConfig
from keras_sagan.files import json_files, paths

CONFIG = "config.json"  # every setting, and versions
FACTS = "facts.json"  # of data and machine
METRICS = "metrics.jsonl"  # a row for each interval
CHECKPOINTS, MODEL = "checkpoints", "model"
SAMPLES, SAMPLE = "samples", "{step:07d}.png"
LOGS = "logs"  # TensorBoard's scalars
PICTURES = f"{LOGS}/pictures"
EVALUATION = "evaluation"  # what `callbacks.Evaluation` writes
CLASSIFIER = f"{EVALUATION}/classifier.keras"

_OF_MACHINE = ("cache_dir", "data_memory")  # settings of data: no results
_OF_TRAINING = ("preset", "optimizer", "augmentation", "training", "versions")


@dataclasses.dataclass(frozen=True)
class RunFiles:
    """The content of a run directory.

    Args:
        name: str. Of the directory.
        config: dict. `config.json`; sections that an older version did not write are
            missing.
        facts: dict. `facts.json`, empty for older runs.
        rows: list of dict: `metrics.jsonl`, by step.
        samples: list of `(step, path)`, by step.
        scores: list of dict: `evaluation.csv`, by step.
    """

    name: str
    config: dict
    facts: dict
    rows: list
    samples: list
    scores: list


def read_run(directory):
    """Reads a run directory; lines of metrics that were cut off are left out.

    Raises:
        FileNotFoundError: if there is no run.
        ValueError: if its configuration is damaged.
    """
    directory = paths.local(directory)
    config = _read(directory / CONFIG)
    if not isinstance(config.get("training"), dict):
        raise FileNotFoundError(
            f"{str(directory)!r} holds no run: expected a directory that `keras-sagan "
            f"train` wrote, with {CONFIG} and {METRICS}."
        )
    return RunFiles(
        directory.resolve().name,
        config,
        read_facts(directory),
        sorted(read_rows(directory), key=lambda row: row["step"]),
        read_samples(directory),
        _read_table(directory / TABLE) or _read_table(directory / EVALUATION / TABLE),
    )


def is_run(directory):
    """Whether a directory has the configuration of a run, or of a model."""
    return (paths.local(directory) / CONFIG).is_file()


def read_config(directory):
    """The `RunConfig` of a run, and the versions that it was made with.

    Raises:
        ValueError: if `config.json` is damaged.
    """
    path = paths.local(directory) / CONFIG
    try:
        content = json_files.read(path)
        versions = content.pop("versions", None)
        if not isinstance(versions, dict):
            raise ValueError("it has no versions")
        return RunConfig.from_dict(content), versions
    except ValueError as error:
        raise ValueError(
            f"{str(path)!r} is not the configuration of a run: {error}."
        ) from error


def read_facts(directory):
    """`facts.json`: dict, empty for a run without it.

    Raises:
        ValueError: if it is damaged.
    """
    return _read(paths.local(directory) / FACTS)


def read_rows(directory):
    """The rows of metrics in the order of the file, without those that were cut off.

    Yields: dict from a name to a float; `step` to an int.
    """
    path = paths.local(directory) / METRICS
    if path.is_file():
        yield from filter(None, map(_numbers, json_files.read_lines(path)))


def read_samples(directory):
    """The grids of samples: list of `(step, path)`, by step."""
    folder = paths.local(directory) / SAMPLES
    grids = [path for path in folder.glob("*.png") if path.stem.isdecimal()]
    return sorted((int(path.stem), path) for path in grids)


def data_settings(directory):
    """The section `data` of a run's configuration: dict, empty where there is no run.

    Raises:
        ValueError: if the configuration is damaged.
    """
    section = _read(paths.local(directory) / CONFIG).get("data")
    return section if isinstance(section, dict) else {}


def run_facts(directory, step=None):
    """What a model card says about a run: the `facts` of `export.card.model_card`.

    Args:
        directory: str or path. Of a run, or of a model.
        step: int, or None. Of the model, where the run may have come further.

    Returns: dict with `data` (data set and how it was read) and `training` (settings,
        steps and seconds), empty for the directory of a model.
    """
    settings = data_settings(directory)
    if not settings:
        return {}
    config = _read(paths.local(directory) / CONFIG)
    rows = [x for x in read_rows(directory) if step is None or x["step"] <= step]
    last = rows[-1] if rows else {}
    return {
        "data": {k: v for k, v in settings.items() if k not in _OF_MACHINE},
        "training": {
            "steps": last.get("step") if step is None else step,
            "seconds": last.get("seconds"),
            "settings": {x: config[x] for x in _OF_TRAINING if x in config},
        },
    }


def _read(path):
    return json_files.read(path) if path.is_file() else {}


def _numbers(row):
    """A row of metrics as numbers, or None if they are none."""
    try:
        values = {name: float(value) for name, value in row.items()}
        return values | {"step": int(row["step"])}
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _read_table(path):
    """The rows of a table of scores, without those that were cut off."""
    rows = []
    if not path.is_file():
        return rows
    with (
        path.open(encoding="utf-8", errors="replace", newline="") as file,
        contextlib.suppress(csv.Error),  # no table from there on
    ):
        for row in csv.DictReader(file):
            with contextlib.suppress(ValueError, KeyError, TypeError, OverflowError):
                values = {name: float(value) for name, value in row.items()}
                rows.append(values | {"step": int(values["step"])})
    return rows
