"""Faults of the file system and of files, injected into real runs at chosen moments.

Every case is a `keras-sagan train` process that waits where it is about to do
something (open or rename a certain file), has a fault put under it, and goes on. Then
the fault is lifted, and the same command runs again. Checked: the first process ended
in a message or finished, no traceback; every checkpoint that was there before, and was
not the fault's target, has the same bytes; the newest whole checkpoint is no older than
the one before the fault; and the second process ends with the same bits as a run that
was never disturbed.

    python benchmarks/faults.py                     # all, as a table in Markdown
    python benchmarks/faults.py full-arrays removed-between

The disk is a small tmpfs that is filled, read-only is a mount, a failing rename is that
of a mount point; the mounts are made in a namespace of their own (`unshare`), which
ends with the program. Exit status 1 if a check fails.
"""

import argparse
import ctypes
import dataclasses
import fnmatch
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable

import chaos
from PIL import Image

from keras_sagan.files import writing
from keras_sagan.runs import checkpoint_files

STEPS, EVERY = 30, 10
LIMIT = 3600  # seconds for a process
DISK = 48  # MiB
INSIDE = "KERAS_SAGAN_FAULTS_NAMESPACE"  # set once the mounts are private


# === Moments: an event of Python's audit hooks, and a pattern of its path ===

PRIVATE = f"{writing.PREFIX}*"
NEW = f"*/{PRIVATE}"

MOMENTS = {
    "before anything is written": ("open", f"{NEW}/config.json", 1),
    "before the first checkpoint": ("open", "*/metrics.jsonl", 1),
    "between two checkpoints": ("open", "*/metrics.jsonl", 3),
    "checkpoint 20: arrays": ("open", f"{NEW}/0000020/state.npz", 1),
    "checkpoint 20: manifest": ("open", f"{NEW}/0000020/checkpoint.json", 1),
    "checkpoint 20: rename": ("os.rename", f"{NEW}/0000020", 1),
    "samples of step 20": ("open", "*/samples/*0000020*", 1),
    "last samples": ("open", "*/samples/*0000030*", 1),
    "model: configuration": ("open", f"{NEW}/model/config.json", 1),
    "model: weights": ("open", f"{NEW}/model/model.weights.h5", 1),
    "model: rename": ("os.rename", f"{NEW}/model", 1),
}
BEGIN, FIRST, BETWEEN = list(MOMENTS)[:3]
ARRAYS, MANIFEST, RENAME = list(MOMENTS)[3:6]
SAMPLES, LAST, CONFIGURATION, WEIGHTS, MODEL = list(MOMENTS)[6:]


def wait_at(moment, reached, go_on):
    """Makes this process, all threads of it, wait at a moment, once.

    Args:
        moment: str, of `MOMENTS`.
        reached: int. Descriptor to write a byte to at that moment.
        go_on: int. Descriptor to wait for a byte from.
    """
    event, pattern, number = MOMENTS[moment]
    library = ctypes.PyDLL(None)  # keeps the interpreter's lock
    seen = 0

    def hook(name, arguments):
        nonlocal seen
        if name != event or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        if fnmatch.fnmatch(os.fsdecode(arguments[0]), pattern):
            seen += 1
            if seen == number:
                os.write(reached, b"x")
                library.read(go_on, ctypes.create_string_buffer(1), 1)

    sys.addaudithook(hook)


# === Faults: functions of the run directory that return what lifts them ===


def fill(output):
    """Leaves no room on the disk."""
    filler = output.parent / "filler"
    with filler.open("wb", buffering=0) as file:
        block = 1 << 16
        while block:
            try:
                file.write(bytes(block))
            except OSError:
                block //= 2
    return filler.unlink


def make_read_only(folder):
    """Nothing can be opened for writing in a folder any more."""
    mount("--bind", folder, folder)
    mount("-o", "remount,bind,ro", folder)
    return lambda: unmount(folder)


def remove(folder):
    """Removes a folder with all that is in it."""
    shutil.rmtree(folder)
    return lambda: None


def put_a_file_there(path):
    """Puts a file where a folder is, or is to be."""
    shutil.rmtree(path, ignore_errors=True)
    path.write_text("")
    return path.unlink


def make_rename_fail(pattern):
    """Mounts something on the folder that is about to be renamed: EBUSY."""

    def inject(output):
        [folder] = output.glob(pattern)
        mount("-t", "tmpfs", "tmpfs", folder)

        def lift():
            if os.path.ismount(folder):
                unmount(folder)

        return lift

    return inject


def delete(path):
    """Removes it."""
    path.unlink()


def truncate(path):
    """Cuts off the second half."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flip(path):
    """Flips a bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def kill_and(damage, name):
    """Kills the run, and damages a file of the newest checkpoint."""

    def inject(output):
        folder = output / "checkpoints"
        damage(
            checkpoint_files.path_of(folder, checkpoint_files.steps(folder)[-1]) / name
        )
        return "kill"

    return inject


def below(name, fault):
    """A fault of something in the run directory."""
    return lambda output: fault(output / name)


def mount(*arguments):
    """Mounts a file system."""
    subprocess.run(["mount", *map(str, arguments)], check=True)


def unmount(folder):
    """Unmounts one, also while it is in use."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


# === Cases ===


@dataclasses.dataclass(frozen=True)
class Case:
    """A fault at a moment.

    Args:
        name: str.
        fault: str, for the table.
        moment: str, of `MOMENTS`.
        inject: function of the run directory; returns what lifts the fault, or "kill".
        spoils: bool. Whether checkpoints are the target, so that they may be gone.
        refused: bool. Whether the run cannot go on, and has to say so.
        gone: str or None. What the names of pictures begin with that the fault
            removes, and that nobody draws again.
    """

    name: str
    fault: str
    moment: str
    inject: Callable
    spoils: bool = False
    refused: bool = False
    gone: str | None = None


def cases():
    """All cases."""
    full = [BEGIN, FIRST, BETWEEN, ARRAYS, MANIFEST, RENAME]
    full += [SAMPLES, LAST, CONFIGURATION, WEIGHTS]
    names = {BEGIN: "begin", FIRST: "first", BETWEEN: "between", ARRAYS: "arrays"}
    names |= {MANIFEST: "manifest", RENAME: "rename", SAMPLES: "samples"}
    names |= {LAST: "last", CONFIGURATION: "model", WEIGHTS: "weights"}
    names |= {MODEL: "model-rename"}
    found = [Case(f"full-{names[m]}", "disk full", m, fill) for m in full]
    found += [
        Case(f"readonly-{names[m]}", "run directory read-only", m, make_read_only)
        for m in (BEGIN, FIRST, BETWEEN, ARRAYS, RENAME, SAMPLES, CONFIGURATION, MODEL)
    ]
    found += [
        Case(f"removed-{names[m]}", "run directory removed", m, remove, True)
        for m in (FIRST, BETWEEN, ARRAYS, RENAME, SAMPLES, WEIGHTS)
    ]
    for part, moment in (
        ("checkpoints", BETWEEN),
        ("checkpoints", MANIFEST),
        ("samples", BETWEEN),
        ("logs", BETWEEN),
    ):
        name = f"removed-{part}-{names[moment]}"
        spoils = part == "checkpoints"
        inject = below(part, remove)
        gone = "samples/" if part == "samples" else None
        fault = f"`{part}/` removed"
        found.append(Case(name, fault, moment, inject, spoils, gone=gone))
    for part in ("checkpoints", "samples", "logs"):
        inject = below(part, make_read_only)
        found.append(Case(f"{part}-readonly", f"`{part}/` read-only", BETWEEN, inject))
    found += [
        Case("logs-file", "a file instead of `logs/`", BEGIN,
             below("logs", put_a_file_there)),
        Case("rename-checkpoint", "rename fails", RENAME,
             make_rename_fail(f"checkpoints/{PRIVATE}/0000020")),
        Case("rename-model", "rename fails", MODEL,
             make_rename_fail(f"{PRIVATE}/model")),
        Case("in-the-way", "a file of the checkpoint's name", ARRAYS,
             below("checkpoints/0000020", put_a_file_there)),
    ]  # fmt: skip
    damages = {"truncated": truncate, "bit-flipped": flip, "missing": delete}
    for name, damage in damages.items():
        for file in (checkpoint_files.STATE, checkpoint_files.MANIFEST):
            for moment in (LAST, MODEL, BETWEEN):
                part = file.partition(".")[0]
                case = Case(
                    f"{name}-{part}-{names[moment]}",
                    f"killed, newest `{file}` {name}",
                    moment,
                    kill_and(damage, file),
                    spoils=True,
                    # At that moment it is the only one.
                    refused=moment == BETWEEN,
                )
                if file == checkpoint_files.STATE or moment == LAST:
                    found.append(case)
    return found


# === Running ===


def main():
    """Runs the cases and returns the exit status."""
    options = parse()
    if options.moment:
        return child(options)
    if INSIDE not in os.environ:
        user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
        command = ["unshare", *user, "--mount", sys.executable, __file__, *sys.argv[1:]]
        return subprocess.run(
            command, check=False, env={**os.environ, INSIDE: "1"}
        ).returncode
    chosen = [c for c in cases() if not options.cases or c.name in options.cases]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="faults-"))
    pictures(folder / "pictures")
    if not options.once and run(folder, folder / "whole"):
        said = (folder / "said.txt").read_text()
        raise SystemExit(f"the undisturbed run failed: {said[-2000:]}")
    expected = None if options.once else chaos.ending(folder / "whole", STEPS)
    print("| case | fault | moment | status | what it says | newest after | again |")
    print("|---|---|---|---|---|---|---|", flush=True)
    failures = 0
    for case in chosen:
        row, problems = examine(folder, case, expected)
        failures += bool(problems)
        print(f"| {' | '.join(row)} |", flush=True)
        for problem in problems:
            print(f"<!-- {case.name} FAILS: {problem} -->", flush=True)
    print(f"\n{len(chosen) - failures} of {len(chosen)} cases as they should be")
    shutil.rmtree(folder)
    return int(failures > 0)


def parse():
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", help="names; by default all")
    parser.add_argument(
        "--once", action="store_true", help="not the second run, nor the comparison"
    )
    parser.add_argument("--moment", help=argparse.SUPPRESS)
    parser.add_argument("--train", help=argparse.SUPPRESS)
    parser.add_argument("--pipes", nargs=2, type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def pictures(folder):
    """Sixteen pictures of two classes."""
    for label in range(2):
        (folder / "ab"[label]).mkdir(parents=True)
        for i in range(8):
            color = (30 * i, 255 * label, 128)
            Image.new("RGB", (32, 32), color).save(folder / "ab"[label] / f"{i}.png")


def launch(folder, output, moment=None, pipes=()):
    """Starts training, in a process that waits at a moment."""
    options = ["train", "-o", output, "--dataset", f"folder:{folder / 'pictures'}"]
    options += ["--steps", STEPS, "--checkpoint-every", EVERY, "--log-every", 5]
    options += ["--sample-every", 10, "--batch-size", 4, "--dtype-policy", "float32"]
    options += ["--set", "model.base_filters=4"]
    text = "\x1f".join(map(str, options))
    command = [sys.executable, __file__, "--moment", moment or "none", "--train", text]
    if pipes:
        command += ["--pipes", *map(str, pipes)]
    with (folder / "said.txt").open("w") as said:
        return subprocess.Popen(command, stdout=said, stderr=said, pass_fds=pipes)


def child(options):
    """Trains in this process."""
    if options.moment != "none":
        wait_at(options.moment, *options.pipes)
    from keras_sagan.cli.main import main as command_line

    return command_line(options.train.split("\x1f"))


def run(folder, output):
    """Trains undisturbed. Returns the exit status."""
    return launch(folder, output).wait(LIMIT)


def disturb(folder, output, moment, inject):
    """Trains, with `inject(process)` called at a moment.

    Returns: exit status, and whether the moment came.
    """
    reached, reach = os.pipe()
    going, go_on = os.pipe()
    try:
        process = launch(folder, output, moment, (reach, going))
        os.close(reach)
        came = bool(os.read(reached, 1))  # nothing once the process has ended
        if came:
            inject(process)
            os.write(go_on, b"x")
        return process.wait(LIMIT), came
    finally:
        for descriptor in (reached, going, go_on):
            os.close(descriptor)


def examine(folder, case, expected):
    """Runs one case. Returns its row of the table and what is wrong."""
    disk = folder / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", f"size={DISK}m", "tmpfs", disk)
    output = disk / "run"
    before, lift = {}, None

    def inject(process):
        nonlocal lift
        before.update(checkpoints(output))
        lift = case.inject(output)
        if lift == "kill":
            process.kill()

    problems = []
    status, came = disturb(folder, output, case.moment, inject)
    said = (folder / "said.txt").read_text()
    if not came:
        problems.append("the moment never came")
    if callable(lift):
        lift()
    if status not in (0, 1, -signal.SIGKILL):
        problems.append(f"status {status}")
    if "Traceback" in said:
        problems.append(f"a traceback: {said[-1500:]}")
    if not case.spoils:
        after = checkpoints(output)
        newest = checkpoint_files.steps(output / "checkpoints")[-3:]
        gone = [x for x in before if before[x] != after.get(x) and int(x[0]) in newest]
        old = max((int(x[0]) for x in before), default=0)
        if gone or max(newest, default=0) < old:
            problems.append(f"checkpoints were damaged: {gone}")
    whole = loadable(output)
    again, same = said, "-"
    if expected:
        status_again = run(folder, output)
        again = (folder / "said.txt").read_text()
        same = outcome(case, output, status_again, again, expected)
    if same not in ("-", "same bits", "refused"):
        problems.append(f"the second time it {same}: {again[-1500:]}")
    unmount(disk)
    disk.rmdir()
    killed = lift == "kill"
    message = spoken(again if killed else said).replace(str(output), "RUN")
    if not message and (status if same == "-" else killed or status):
        problems.append(f"no message, status {status}")
    shown = "killed" if killed else str(status)
    row = [case.name, case.fault, case.moment, shown, message, whole, same]
    return row, problems


def outcome(case, output, status, said, expected):
    """What came of the second process."""
    if case.refused:
        clear = status == 1 and "No checkpoint in" in said and "Traceback" not in said
        return "refused" if clear else "fails"
    if status:
        return "fails"
    found = chaos.ending(output, STEPS)
    if case.gone:
        lost = [x for x in expected if x.startswith(case.gone) and x not in found]
        expected = {name: x for name, x in expected.items() if name not in lost}
    differing = chaos.differences(expected, found)
    return f"differs in {differing[:5]}" if differing else "same bits"


def checkpoints(output):
    """The bytes of all checkpoints by (step, file)."""
    folder = output / "checkpoints"
    return {
        (path.parent.name, path.name): path.read_bytes()
        for step in checkpoint_files.steps(folder)
        for path in checkpoint_files.path_of(folder, step).glob("*")
    }


def loadable(output):
    """The step of the newest whole checkpoint, as text."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = checkpoint_files.read_newest(output / "checkpoints")
        except checkpoint_files.CheckpointError:
            return "all damaged"
    return "none yet" if found is None else str(found.step)


def spoken(said):
    """The warning or error among what was printed."""
    lines = [
        line.partition("Warning: ")[2] or line
        for line in said.splitlines()
        if "Warning: " in line or line.startswith("keras-sagan: ")
    ]
    return " / ".join(dict.fromkeys(lines)).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
