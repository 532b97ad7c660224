"""Coverage-guided fuzzing (atheris) of every reader of files of others.

    pip install atheris
    PYTHONPATH=. python benchmarks/fuzz.py --minutes 5 --output fuzz

Each target of `tests/fuzz/targets.py` runs in processes of its own, for so many minutes
of processor time, with 3 GiB of memory and 10 s for an input. Defects are written to
OUTPUT/TARGET/ as files, which belong into `tests/fuzz/regressions/TARGET/` once they
are mended. An input that ends the process is written by libFuzzer itself (`crash-*`,
`oom-*`, `timeout-*`); the campaign goes on after it. Prints a table.
"""

import argparse
import hashlib
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

MEMORY = 3072  # MiB
TIMEOUT = 10  # seconds of processor time for an input
HANG = 1800  # seconds for an input, also where the machine does other things
ATTEMPTS = 20  # processes of a target


def main():
    """Runs all targets, or one of them in this process."""
    options = parse()
    if options.child:
        return fuzz(options)
    from tests.fuzz import targets

    wanted = options.targets or list(targets.TARGETS)
    print("| target | executions | read | refused | minutes | defects | crashes |")
    print("|---|---|---|---|---|---|---|", flush=True)
    failed = False
    for target in wanted:
        row = campaign(target, options)
        failed |= bool(row["defects"] or row["crashes"])
        print(
            f"| {target} | {row['executions']:,} | {row['read']:,} "
            f"| {row['executions'] - row['read'] - row['defects']:,} "
            f"| {row['seconds'] / 60:.1f} | {row['defects']} | {row['crashes']} |",
            flush=True,
        )
    return int(failed)


def parse():
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--minutes", type=float, default=5.0, help="of each target")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("fuzz"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    return parser.parse_args()


def campaign(target, options):
    """Fuzzes one target, over as many processes as it takes. Returns its figures."""
    output = options.output / target
    output.mkdir(parents=True, exist_ok=True)
    total = {"executions": 0, "read": 0, "defects": 0, "seconds": 0.0, "crashes": 0}
    for attempt in range(ATTEMPTS):
        left = 60 * options.minutes - total["seconds"]
        if left < 1:
            break
        command = [sys.executable, __file__, "--child", target]
        command += ["--output", str(options.output), "--seconds", str(left)]
        command += ["--seed", str(options.seed + attempt)]
        with (output / f"log-{attempt}.txt").open("w") as log:
            subprocess.run(command, check=False, stdout=log, stderr=log)
        figures = json.loads((output / "figures.json").read_text())
        for name, value in figures.items():
            total[name] += value
    total["crashes"] = sum(1 for path in output.iterdir() if is_crash(path))
    return total


def is_crash(path):
    """Whether libFuzzer wrote a file because an input ended the process."""
    return path.name.startswith(("crash-", "oom-", "timeout-"))


def fuzz(options):
    """Fuzzes one target in this process until its time is over."""
    import atheris

    with atheris.instrument_imports(include=["keras_sagan", "zipfile", "PIL", "csv"]):
        from tests.fuzz import targets

    [target] = options.targets
    output = options.output / target
    scratch = tempfile.mkdtemp(prefix=f"fuzz-{target}-", dir=memory_folder())
    corpus = output / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for data in targets.seeds(target, scratch):
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    begin = processor_seconds()
    figures = {"executions": 0, "read": 0, "defects": 0, "seconds": 0.0}

    def note():
        figures["seconds"] = processor_seconds() - begin
        (output / "figures.json").write_text(json.dumps(figures))

    def one(data):
        figures["executions"] += 1
        start = processor_seconds()
        try:
            figures["read"] += targets.check(target, scratch, data)
        except targets.Defect as error:
            figures["defects"] += keep(output, data, error)
        if processor_seconds() - start > TIMEOUT:
            (output / f"timeout-{figures['executions']}").write_bytes(data)
        if figures["executions"] % 100 == 1:
            note()
            if figures["seconds"] > options.seconds:
                os._exit(0)

    arguments = [sys.argv[0], f"-rss_limit_mb={MEMORY}", f"-timeout={HANG}"]
    arguments += [f"-artifact_prefix={output}/", f"-seed={options.seed}"]
    arguments += ["-max_len=65536", "-print_final_stats=1", str(corpus)]
    note()
    atheris.Setup(arguments, one, custom_mutator=mutator(target, targets))
    atheris.Fuzz()
    return 0


def mutator(target, targets):
    """Changes archives and JSON as such, and anything as bytes."""
    import random

    import atheris

    def change_bytes(data, chance):
        return atheris.Mutate(bytes(data), len(data) + 100)

    def mutate(data, largest, seed):
        return targets.change(target, data, random.Random(seed), change_bytes)[:largest]

    return mutate


def keep(output, data, error):
    """Writes an input that showed a defect, once for each place. Returns 1 if new."""
    cause = error.__cause__
    trace = cause.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    place = f"{type(cause).__name__} {trace.tb_frame.f_code.co_filename} "
    place += str(trace.tb_lineno)
    name = f"defect-{hashlib.sha256(place.encode()).hexdigest()[:12]}"
    if (output / name).exists():
        return 0
    (output / name).write_bytes(data)
    (output / f"{name}.txt").write_text(f"{place}\n{error}\n")
    return 1


def memory_folder():
    """A folder in memory where there is one: millions of small files are written."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def processor_seconds():
    """Of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
