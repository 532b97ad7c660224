"""Decides whether a run can start or resume in a directory, and writes files there."""

import functools
import json
import pathlib
import re
import warnings

from keras_sagan import versions
from keras_sagan.files import writing
from keras_sagan.runs import reading
from keras_sagan.training import saving

# Settings that may change when a run is resumed, because no step depends on them.
CHANGEABLE = ("training.steps", "training.minutes", "data.data_memory")
CHANGEABLE_SECTIONS = ("logging",)


def next_run_directory(config, base="runs"):
    """Returns the next unused path `runs/NUMBER-DATA-PRESET`."""
    base = pathlib.Path(base)
    names = [path.name for path in base.iterdir()] if base.is_dir() else []
    numbers = [int(m[1]) for m in map(re.compile(r"(\d+)-").match, names) if m]
    dataset = re.sub(r"[^A-Za-z0-9_.]+", "-", config.data.dataset).strip("-")
    return base / f"{max(numbers, default=-1) + 1:05d}-{dataset}-{config.preset}"


def check_usable(output, config, resume=None):
    """Decides whether a run in a directory is started or resumed.

    Args:
        output: path that does not exist, is empty, or is the directory of a run.
        config: `RunConfig` of the requested run.
        resume: bool, or None. Whether a run must be resumed there (True), must be
            started there (False), or whichever is possible (None).

    Returns: bool. Whether a run is resumed.

    Raises:
        FileNotFoundError: if there is no run, but one must be resumed.
        FileExistsError: if the directory holds anything else, or a run that must not
            be resumed.
        ValueError: if the run there has another configuration. The message lists the
            differences.
    """
    exists = output.exists() or output.is_symlink()
    if not exists or (output.is_dir() and writing.is_empty(output)):
        if resume:
            raise FileNotFoundError(f"There is no run to resume in {str(output)!r}.")
        return False
    if resume is False or not reading.is_run(output):
        raise FileExistsError(
            f"{str(output)!r} is not empty: a run needs a directory of its own. "
            "Nothing was changed."
        )
    earlier, then = reading.read_config(output)
    differences = _differences(earlier, config)
    if differences:
        raise ValueError(
            f"The run in {str(output)!r} has another configuration: "
            f"{'; '.join(differences)}. Only {', '.join(CHANGEABLE)} and the section "
            "logging may change when a run is resumed. Give the same settings, or "
            "another directory. Nothing was changed."
        )
    _warn_of_versions(then)
    return True


def write_config(output, config):
    """Writes `config.json` with the settings and the current versions of packages."""
    content = {**config.to_dict(), "versions": versions.environment()}
    writing.replace_file(output / reading.CONFIG, writing.json_text(content))


def keep_metrics_until(output, step):
    """Drops all rows of metrics after a step, and a row that is truncated."""
    path = output / reading.METRICS
    if path.is_file():
        rows = [row for row in reading.read_rows(output) if row["step"] <= step]
        writing.replace_file(path, "".join(json.dumps(row) + "\n" for row in rows))


def write_model(gan, output):
    """Writes `model/`, completely or not at all, and replaces an earlier one.

    Returns: path of the model.
    """
    target = output / reading.MODEL
    facts = reading.run_facts(output, gan.step)
    if "dataset" in facts.get("data", {}):  # the card may be published, paths may not
        kind, colon, path = facts["data"]["dataset"].partition(":")
        facts["data"]["dataset"] = kind + colon + pathlib.PurePath(path).name
    write = functools.partial(saving.write, gan, facts=facts)
    writing.replace_folder(target, write)
    return target


def set_model_aside(output):
    """Renames the `model/` of a run that is resumed.

    Otherwise it would be taken for the newest state of the run.

    Returns: the new path, or None if there is no model.
    """
    path = output / reading.MODEL
    return writing.rename_aside(path) if path.exists() else None


def set_samples_aside(output, after):
    """Renames the grids of samples of steps later than `after`."""
    for step, path in reading.read_samples(output):
        if step > after:
            writing.rename_aside(path)


def _differences(earlier, wanted):
    """Returns texts "name: before -> now" for changed settings that must not change."""
    before, now = _flat_settings(earlier.to_dict()), _flat_settings(wanted.to_dict())
    return [
        f"{name}: {before[name]!r} -> {now[name]!r}"
        for name in now
        if before[name] != now[name]
        and name not in CHANGEABLE
        and name.partition(".")[0] not in CHANGEABLE_SECTIONS
    ]


def _flat_settings(sections):
    flat = {}
    for section, values in sections.items():
        if isinstance(values, dict):
            flat |= {f"{section}.{name}": value for name, value in values.items()}
        else:
            flat[section] = values
    return flat


def _warn_of_versions(earlier):
    now = versions.environment()
    changed = [
        f"{name} {earlier.get(name)} -> {version}"
        for name, version in now.items()
        if earlier.get(name) != version
    ]
    if changed:
        warnings.warn(
            f"The run was started with other versions ({', '.join(changed)}). It goes "
            "on, but its results may differ in the last bits.",
            RuntimeWarning,
            stacklevel=3,
        )
