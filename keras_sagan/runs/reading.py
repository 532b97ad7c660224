"""What a training run has written, read without its model."""

import csv
import dataclasses
import json
import pathlib


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
    directory = pathlib.Path(directory)
    config = _json(directory / "config.json")
    if "training" not in config:
        raise FileNotFoundError(
            f"{str(directory)!r} holds no run: expected a directory that `keras-sagan "
            "train` wrote, with config.json and metrics.jsonl."
        )
    tables = sorted(
        [*directory.glob("evaluation.csv"), *directory.glob("*/evaluation.csv")]
    )
    return RunFiles(
        directory.resolve().name,
        config,
        _json(directory / "facts.json"),
        _rows(directory / "metrics.jsonl"),
        _samples(directory / "samples"),
        [row for path in tables[:1] for row in _table(path)],
    )


def _rows(path):
    rows = []
    for line in _text(path).splitlines():
        try:
            row = json.loads(line)
            rows.append(
                {name: float(row[name]) for name in row} | {"step": int(row["step"])}
            )
        except (ValueError, KeyError, TypeError):
            continue
    return sorted(rows, key=lambda row: row["step"])


def _table(path):
    rows = []
    for row in csv.DictReader(_text(path).splitlines()):
        try:
            values = {name: float(value) for name, value in row.items()}
            rows.append(values | {"step": int(values["step"])})
        except (ValueError, KeyError, TypeError):
            continue
    return rows


def _samples(folder):
    found = [path for path in folder.glob("*.png") if path.stem.isdecimal()]
    return sorted((int(path.stem), path) for path in found)


def _json(path):
    try:
        content = json.loads(_text(path) or "{}")
    except ValueError as error:
        raise ValueError(f"{str(path)!r} is damaged: {error}.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{str(path)!r} is damaged: it holds no settings.")
    return content


def _text(path):
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
