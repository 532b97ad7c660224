"""The names of the files in a run's directory, and functions to read them.

Every module that writes a file of a run takes its name from here. JSON files are
treated as untrusted, that is, their size is limited. Nothing here needs the model.
"""

import contextlib
import csv
import dataclasses

from keras_sagan.callbacks.evaluation import TABLE
from keras_sagan.config.run import RunConfig
from keras_sagan.files import json_files, paths

CONFIG = "config.json"  # all settings, and versions
FACTS = "facts.json"  # about the data and the machine
METRICS = "metrics.jsonl"  # a row per interval
CHECKPOINTS, MODEL = "checkpoints", "model"
SAMPLES, SAMPLE = "samples", "{step:07d}.png"
LOGS = "logs"  # TensorBoard's scalars
PICTURES = f"{LOGS}/pictures"
EVALUATION = "evaluation"  # what `callbacks.Evaluation` writes
CLASSIFIER = f"{EVALUATION}/classifier.keras"

_OF_MACHINE = ("cache_dir", "data_memory")  # settings of data without effect on results
_OF_TRAINING = ("preset", "optimizer", "augmentation", "training", "versions")
# Types of the entries that programs rely on; each entry may also be missing.
_OF_CONFIG = {"preset": str, **dict.fromkeys(("model", "data", "versions"), dict)}
_OF_SETTINGS = {
    **dict.fromkeys(("dataset", "split", "fit"), str),
    "cache_dir": str | None,
}
_OF_FACTS = {"data": dict, "machine": dict}
_OF_DATA = {
    **dict.fromkeys(("name", "split"), str),
    **dict.fromkeys(("images", "image_size", "channels"), int),
    **dict.fromkeys(("class_names", "class_counts"), list | None),
    "diversity": int | float,
}


@dataclasses.dataclass(frozen=True)
class RunFiles:
    """The content of a run directory.

    Args:
        name: str. Name of the directory.
        config: dict. Content of `config.json`. In a run of an older version, sections
            may be missing.
        facts: dict. Content of `facts.json`, empty for older runs.
        rows: list of dict. Rows of `metrics.jsonl`, ordered by step.
        samples: list of `(step, path)`. Grids of samples, ordered by step.
        scores: list of dict. Rows of `evaluation.csv`, ordered by step.
    """

    name: str
    config: dict
    facts: dict
    rows: list
    samples: list
    scores: list


def read_run(directory):
    """Reads the directory of a run; truncated rows of metrics are left out.

    Returns: `RunFiles`.

    Raises:
        FileNotFoundError: if there is no run.
        ValueError: if its configuration or its facts are damaged.
    """
    directory = paths.local(directory)
    config = _read(directory / CONFIG)
    if not isinstance(config.get("training"), dict):
        raise FileNotFoundError(
            f"There is no run in {str(directory)!r}: expected a directory written by "
            f"`keras-sagan train`, with {CONFIG} and {METRICS}."
        )
    _check_kinds(directory / CONFIG, config, _OF_CONFIG)
    facts = read_facts(directory)
    _check_kinds(directory / FACTS, facts, _OF_FACTS)
    if facts.get("data"):
        data = dict.fromkeys(_OF_DATA) | facts["data"]
        _check_kinds(directory / FACTS, data, _OF_DATA)
    return RunFiles(
        directory.resolve().name,
        config,
        facts,
        sorted(read_rows(directory), key=lambda row: row["step"]),
        read_samples(directory),
        _read_table(directory / TABLE) or _read_table(directory / EVALUATION / TABLE),
    )


def is_run(directory):
    """Returns whether a directory has the configuration of a run or of a model."""
    return (paths.local(directory) / CONFIG).is_file()


def read_config(directory):
    """Reads the configuration of a run.

    Returns: tuple of the `RunConfig` and a dict of the versions of packages with which
        the run was started or last resumed.

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
    """Reads `facts.json`: a dict, empty for a run without the file.

    Raises:
        ValueError: if it is damaged.
    """
    return _read(paths.local(directory) / FACTS)


def read_rows(directory):
    """Reads the rows of metrics in the order of the file; skips truncated ones.

    Yields: dict from names to floats, and from `step` to an int.
    """
    path = paths.local(directory) / METRICS
    if path.is_file():
        yield from filter(None, map(_numbers, json_files.read_lines(path)))


def read_samples(directory):
    """Returns the grids of samples as a list of `(step, path)`, ordered by step."""
    folder = paths.local(directory) / SAMPLES
    grids = [path for path in folder.glob("*.png") if path.stem.isdecimal()]
    return sorted((int(path.stem), path) for path in grids)


def data_settings(directory):
    """Returns the section `data` of a run's configuration, or `{}` if there is no run.

    Raises:
        ValueError: if the configuration is damaged.
    """
    path = paths.local(directory) / CONFIG
    section = _read(path).get("data")
    if not isinstance(section, dict):
        return {}
    _check_kinds(path, section, _OF_SETTINGS)
    return section


def run_facts(directory, step=None):
    """Collects what a model card says about a run, for `export.card.model_card`.

    Args:
        directory: str or path of the directory of a run or of a model.
        step: int, or None. Step of the model, if that may not be the last one of the
            run.

    Returns: dict with `data` (the data set and how it was read) and `training`
        (settings, steps and seconds); empty for the directory of a model.
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


def _check_kinds(path, content, kinds):
    for name in kinds.keys() & content.keys():
        if not isinstance(content[name], kinds[name]):
            raise ValueError(
                f"{str(path)!r} is damaged: its {name!r} must be "
                f"{getattr(kinds[name], '__name__', kinds[name])}. "
                f"Received: {content[name]!r:.200}."
            )


def _numbers(row):
    """Returns a row of metrics as numbers, or None if it has anything else."""
    try:
        values = {name: float(value) for name, value in row.items()}
        return values | {"step": int(row["step"])}
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _read_table(path):
    """Returns the rows of a table of scores, without truncated ones."""
    rows = []
    if not path.is_file():
        return rows
    with (
        path.open(encoding="utf-8", errors="replace", newline="") as file,
        contextlib.suppress(csv.Error),  # keep the rows before a damaged one
    ):
        for row in csv.DictReader(file):
            with contextlib.suppress(ValueError, KeyError, TypeError, OverflowError):
                values = {name: float(value) for name, value in row.items()}
                rows.append(values | {"step": int(values["step"])})
    return rows
