"""Does a run that is killed again and again end as if it never had been?

Trains once without disturbance. Then trains the same run several times, each killed
by SIGKILL at random moments (some while a checkpoint is being written) and continued
by the same command until it has ended. Compares weights, averages, optimizer slots,
metrics (times aside) and samples bit by bit. With several `--data-memory` each process
takes the next of them: decoded in memory, or left in their files.

    python benchmarks/chaos.py --dataset glyphs --runs 30
    python benchmarks/chaos.py --dataset tfds:prepared --runs 10 --data-memory 1 0

Exit status 1 if anything differs. The directories are removed unless something does.
"""

import argparse
import itertools
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

from keras_sagan.runs import checkpoint_files

TIMES = ("seconds", "images_per_second")
POLL = 0.002  # seconds between two looks for a checkpoint that is being written


def main():
    """Runs the comparison and returns the exit status."""
    options = parse()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="chaos-"))
    print(f"{options.dataset}: {options.steps} steps, in {folder}", flush=True)
    whole = folder / "whole"
    start = time.monotonic()
    wait(launch(options, whole), None)
    seconds = time.monotonic() - start
    expected = ending(whole, options.steps)
    print(f"undisturbed: {seconds:.0f} s", flush=True)
    chance = random.Random(options.seed)
    failures = 0
    for number in range(options.runs):
        output = folder / f"killed-{number}"
        kills, hits = 0, 0
        while not kills:  # it may end before the moment comes
            shutil.rmtree(output, ignore_errors=True)
            kills, hits = disturb(options, output, seconds, chance)
        found = differences(expected, ending(output, options.steps))
        failures += bool(found)
        print(
            f"run {number}: killed {kills} times, {hits} amid a checkpoint: "
            f"{'DIFFERS: ' + ', '.join(found) if found else 'bit-identical'}",
            flush=True,
        )
        if not found:
            shutil.rmtree(output)
    print(f"{options.runs - failures} of {options.runs} runs bit-identical")
    if not failures:
        shutil.rmtree(folder)
    return int(failures > 0)


def parse():
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="glyphs")
    parser.add_argument("--cache-dir")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--kills", type=int, default=2, help="in each run, at most")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--checkpoint-every", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-memory", nargs="+", default=["1"], metavar="GIB")
    parser.add_argument("more", nargs="*", help="more arguments of keras-sagan train")
    options = parser.parse_args()
    options.storages = itertools.cycle(options.data_memory)
    return options


def launch(options, output):
    """Starts or continues training in a process of its own."""
    command = [sys.executable, "-m", "keras_sagan", "train", "-o", str(output)]
    command += ["--dataset", options.dataset, "--steps", str(options.steps)]
    command += ["--checkpoint-every", str(options.checkpoint_every)]
    command += ["--log-every", "5", "--sample-every", "20", *options.more]
    command += ["--data-memory", next(options.storages)]
    if options.cache_dir:
        command += ["--cache-dir", options.cache_dir]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def wait(process, seconds):
    """Whether a process has ended (well) within some seconds."""
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    if process.returncode:
        raise RuntimeError(f"training failed:\n{errors}")
    return True


def disturb(options, output, seconds, chance):
    """Kills a run at random moments and lets it end. Returns how often, and how."""
    hits = 0
    for kill in range(options.kills):
        process = launch(options, output)
        amid = chance.random() < 0.5
        if amid:
            ended, hit = kill_amid_checkpoint(process, output, chance)
            hits += hit
        else:
            ended = wait(process, chance.uniform(0.05, 1.0) * seconds)
        if ended:
            return kill, hits
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    wait(launch(options, output), None)
    return options.kills, hits


def kill_amid_checkpoint(process, output, chance):
    """Waits until a checkpoint is being written and kills the process."""
    skip = chance.randrange(4)
    seen = set()
    while process.poll() is None:
        for path in (output / "checkpoints").glob(".unfinished-*"):
            if path.name not in seen:
                seen.add(path.name)
                if len(seen) > skip:
                    time.sleep(chance.uniform(0, 0.01))
                    process.send_signal(signal.SIGKILL)
                    process.communicate()
                    return False, path.exists()
        time.sleep(POLL)
    return wait(process, None), False


def ending(output, steps):
    """All that is compared: dict of str to arrays, bytes or lists."""
    state = checkpoint_files.read(output / "checkpoints", steps).arrays
    lines = (output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {
        **state,
        "metrics": [{k: v for k, v in r.items() if k not in TIMES} for r in rows],
        **{
            f"samples/{path.name}": path.read_bytes()
            for path in (output / "samples").iterdir()
        },
    }


def differences(expected, found):
    """Names of what is not the same."""
    return [
        name
        for name in sorted(set(expected) | set(found))
        if not np.array_equal(expected.get(name), found.get(name))
    ]


if __name__ == "__main__":
    sys.exit(main())
