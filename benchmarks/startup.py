"""How long does it take until something happens?

    python benchmarks/startup.py
    python benchmarks/startup.py --rounds 5 --check --append

Seconds from the start of a process: to import the package, to print the help, to the
first training step of `keras-sagan train` (preset sagan_32_small, glyphs; its line in
metrics.jsonl), to the end of such a run of one step, and to the picture that
`keras-sagan sample` makes of it; beside Python itself and the imports of TensorFlow and
Keras, which are the floor of what computes. They take turns; the table has the medians.
Prints Markdown; `--append` adds it to docs/results/; `--check` exits with 1 unless the
import and the help, which need neither, take at most a fifth of `import tensorflow`.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from contenders.results import add_arguments, publish
from contenders.turns import environment

FLOOR = "`import tensorflow`"
HELP = "`keras-sagan --help`"
IMPORT = "`import keras_sagan`"
IMPORTS = {
    "Python itself": "pass",
    FLOOR: "import tensorflow",
    "`import keras`": "import keras",
    IMPORT: "import keras_sagan",
    "`import keras_sagan, keras`": "import keras_sagan, keras",
}
STEP, RUN, SAMPLE = (
    "`train`: first step",
    "`train`: whole run of one step",
    "`sample`: a picture of 80 images",
)
LIMIT = 0.2


def main():
    """Measure, print, check."""
    options = parse()
    found = {}
    for number in range(options.rounds + 1):
        turn = one_turn(options)
        if number:  # the first one warms up caches of files
            for name, seconds in turn.items():
                found.setdefault(name, []).append(seconds)
    publish(table(found, options), options)
    missed = [
        f"{name}: {share(name, found):.2f} of {FLOOR} > {LIMIT}"
        for name in (IMPORT, HELP)
        if share(name, found) > LIMIT
    ]
    for line in missed:
        print(f"MISSED: {line}")
    return int(options.check and bool(missed))


def parse():
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-filters", type=int, default=16)
    parser.add_argument("--check", action="store_true")
    return add_arguments(parser).parse_args()


def one_turn(options):
    """Dict from what was done to its seconds."""
    found = {
        name: finished(["-c", code], options.threads) for name, code in IMPORTS.items()
    }
    program = ["-m", "keras_sagan"]
    found[HELP] = finished([*program, "--help"], options.threads)
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        train = [*program, "train", "-o", run, "--dataset", "glyphs", "--steps", "1"]
        train += ["--preset", "sagan_32_small", "--log-every", "1"]
        train += ["--set", f"model.base_filters={options.base_filters}"]
        found[STEP], found[RUN] = first_step(train, run, options.threads)
        picture = run / "picture.png"
        sample = [*program, "sample", run, "-o", picture]
        found[SAMPLE] = finished(sample, options.threads)
    return found


def finished(arguments, threads):
    """Seconds until `python *arguments` has ended."""
    start = time.perf_counter()
    end(begin(arguments, threads))
    return time.perf_counter() - start


def first_step(arguments, run, threads):
    """Seconds until a training run has told of its first step, and until it ended."""
    start = time.perf_counter()
    process = begin(arguments, threads)
    metrics = run / "metrics.jsonl"
    while process.poll() is None:
        if metrics.exists() and '"d_loss"' in metrics.read_text():
            break
        time.sleep(0.005)
    step = time.perf_counter() - start
    end(process)
    return step, time.perf_counter() - start


def begin(arguments, threads):
    """The running `python *arguments`."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(threads),
    )


def end(process):
    """Waits; raises a `RuntimeError` unless the process succeeds."""
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{process.args} failed: {errors}")


def share(name, found):
    """Median of `name` over that of the floor."""
    return statistics.median(found[name]) / statistics.median(found[FLOOR])


def table(found, options):
    """Markdown: a row for each thing that was done."""
    lines = [
        f"{options.base_filters} base filters, {options.threads} threads, "
        f"{options.rounds} turns after one that is not counted",
        "",
        f"| from the start of the process | seconds | smallest, largest | of {FLOOR} |",
        "|---|---|---|---|",
    ]
    for name, seconds in found.items():
        lines.append(
            f"| {name} | {statistics.median(seconds):.2f} "
            f"| {min(seconds):.2f}, {max(seconds):.2f} | {share(name, found):.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
