"""The files of checkpoints, which are written completely and verified when read.

A checkpoint is a directory `checkpoints/STEP/` with `state.npz` (NumPy's own format,
read without pickle) and `checkpoint.json`, which holds further details and the size and
SHA-256 of `state.npz`. A directory whose name is a number is complete (see
`files.writing`); if a file is damaged later, its checksum shows that.

`tf.train.CheckpointManager` is not used because it does not flush files to the disk,
and because it notices a damaged file only after half of it has been restored.
"""

import dataclasses
import hashlib
import json
import re
import warnings

import numpy as np

from keras_sagan.files import json_files, paths, writing
from keras_sagan.files import npz_files as arrays

FORMAT = 1
STATE, MANIFEST = "state.npz", "checkpoint.json"

_NAME = re.compile(r"\d{7,}")


class CheckpointError(ValueError):
    """Raised for a checkpoint that is missing, damaged, or anything else."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint.

    Args:
        step: int. Number of generator steps made.
        arrays: dict from str to NumPy array, with every variable.
        details: dict of JSON values, with everything else.
    """

    step: int
    arrays: dict
    details: dict


def path_of(directory, step):
    """Returns the path of the checkpoint of a step."""
    return paths.local(directory) / f"{step:07d}"


def steps(directory):
    """Returns the steps of the complete checkpoints in a directory, oldest first."""
    directory = paths.local(directory)
    if not directory.is_dir():
        return []
    paths_of_steps = (x for x in directory.iterdir() if _NAME.fullmatch(x.name))
    return sorted(int(x.name) for x in paths_of_steps if x.is_dir())


def write(directory, checkpoint):
    """Writes a checkpoint, unless there is one of the same step already.

    Args:
        directory: str or path of the directory of all checkpoints.
        checkpoint: `Checkpoint`.

    Returns: path of the checkpoint.

    Raises:
        OSError: if it cannot be written. Nothing of it is left behind, as far as the
            file system allows, and no other checkpoint is affected.
    """
    directory = paths.local(directory)
    target = path_of(directory, checkpoint.step)
    if target.exists():
        return target
    # Without `parents`: a run that has been deleted must not partly reappear.
    directory.mkdir(exist_ok=True)

    def write_files(folder):
        np.savez(folder / STATE, **checkpoint.arrays)
        writing.write_new(folder / MANIFEST, _manifest(folder, checkpoint))

    writing.create_folder(target, write_files)
    return target


def read(directory, step):
    """Reads and verifies the checkpoint of a step.

    Returns: `Checkpoint`.

    Raises:
        CheckpointError: if it is missing or damaged.
    """
    path = path_of(directory, step)
    manifest = _read_manifest(path)
    if manifest["step"] != step:
        raise CheckpointError(f"{str(path)!r} holds step {manifest['step']} instead.")
    state = path / STATE
    try:
        size, digest = _measure(state)
    except OSError as error:
        raise CheckpointError(f"{str(state)!r} cannot be read: {error}.") from error
    if (size, digest) != (manifest["state"]["bytes"], manifest["state"]["sha256"]):
        raise CheckpointError(
            f"{str(state)!r} is damaged: expected {manifest['state']['bytes']} bytes "
            f"with SHA-256 {manifest['state']['sha256'][:12]}..., found {size} bytes "
            f"with {digest[:12]}..."
        )
    try:
        content = arrays.read(state, may_be_compressed=False)
    except (ValueError, OSError) as error:
        raise CheckpointError(str(error)) from error
    return Checkpoint(step, content, manifest["details"])


def read_newest(directory):
    """Reads the newest checkpoint that is intact.

    If newer ones are damaged, a warning names them and says which one is used.

    Returns: `Checkpoint`, or None if there are no checkpoints at all.

    Raises:
        CheckpointError: if there are checkpoints, but all of them are damaged.
    """
    problems = []
    for step in reversed(steps(directory)):
        try:
            checkpoint = read(directory, step)
        except CheckpointError as error:
            problems.append(str(error))
            continue
        if problems:
            warnings.warn(
                f"{' '.join(problems)} Using {str(path_of(directory, step))!r} "
                "instead.",
                stacklevel=2,
            )
        return checkpoint
    if problems:
        raise CheckpointError(
            f"No checkpoint in {str(directory)!r} can be used. {' '.join(problems)}"
        )
    return None


def remove_old(directory, keep):
    """Removes all but the newest `keep` checkpoints, and unfinished ones."""
    for step in steps(directory)[:-keep]:
        writing.remove_folder(path_of(directory, step))
    writing.remove_unfinished(directory)


def set_aside(directory, after):
    """Renames all checkpoints of later steps, so that a run can branch off at a step.

    Args:
        directory: str or path of the directory of all checkpoints.
        after: int. Last step whose checkpoint keeps its name.

    Returns: list of the new paths.
    """
    later = [step for step in steps(directory) if step > after]
    return [writing.rename_aside(path_of(directory, step)) for step in later]


def _manifest(folder, checkpoint):
    """Returns the text of `checkpoint.json`, which includes a hash of itself."""
    size, digest = _measure(folder / STATE)
    body = {
        "format": FORMAT,
        "step": checkpoint.step,
        "state": {"bytes": size, "sha256": digest},
        "details": checkpoint.details,
    }
    return writing.json_text({**body, "sha256": _digest_of(body)})


def _read_manifest(folder):
    path = folder / MANIFEST
    try:
        body = json_files.read(path)
        digest = body.pop("sha256", None)
        intact = digest == _digest_of(body) and _is_manifest(body)
    except (OSError, ValueError):
        intact = False
    if not intact:
        raise CheckpointError(
            f"{str(path)!r} is missing, damaged, or of another version of keras_sagan "
            f"(this one reads format {FORMAT})."
        )
    return body


def _is_manifest(body):
    state, details = body.get("state"), body.get("details")
    return (
        body.get("format") == FORMAT
        and type(body.get("step")) is int
        and isinstance(state, dict)
        and {"bytes", "sha256"} <= set(state)
        and isinstance(state["sha256"], str)
        and isinstance(details, dict)
    )


def _digest_of(body):
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _measure(path):
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest
