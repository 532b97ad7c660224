"""Programs that take turns on one machine: timed runs in processes of their own.

A contender is a Python file that calls `serve(step)`. `Contender` starts it, lets it
make so many steps when told to, and is idle otherwise; several of them interleaved see
the same machine, however noisy that is.
"""

import concurrent.futures
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]


def serve(step, **facts):
    """Contender: make steps when told to. `step()` must end only when its work has.

    Args:
        step: function without arguments.
        **facts: JSON values to report at the start.
    """
    step()  # compilation
    step()
    print(json.dumps({**facts, "memory_mib": peak_memory_mib()}), flush=True)
    for line in sys.stdin:
        count = int(line)
        start = time.perf_counter()
        for _ in range(count):
            step()
        seconds = time.perf_counter() - start
        answer = {"seconds": seconds / count, "memory_mib": peak_memory_mib()}
        print(json.dumps(answer), flush=True)


def peak_memory_mib():
    """Most memory that this process has held so far, resident."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM in /proc/self/status: needs Linux")


class Contender:
    """A running contender.

    Args:
        program: file name in this folder.
        arguments: of its command line.
        threads: int. For computing.
    """

    def __init__(self, program, arguments, threads):
        file = pathlib.Path(__file__).with_name(program)
        self._process = subprocess.Popen(
            [sys.executable, str(file), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(threads),
        )
        self.facts = self._read()
        self.memory_mib = self.facts.get("memory_mib")
        self.seconds = []  # of a step, one number a turn

    def turn(self, steps):
        """Let it make `steps` steps; keeps the seconds of one."""
        answer = self.ask(steps)
        self.seconds.append(answer["seconds"])
        self.memory_mib = answer["memory_mib"]

    def ask(self, request):
        """Sends it a JSON value; returns what it answers: dict."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    def end(self):
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()

    @property
    def median(self):
        return statistics.median(self.seconds)

    def _read(self):
        for line in self._process.stdout:  # libraries print too
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"a contender has ended: {self._process.args}")


def environment(threads):
    """Of a contender: so many threads, no device but the processor, few messages."""
    return {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
    }


def start(wanted, threads):
    """Dict from name to running `Contender`; two of them start at a time.

    Args:
        wanted: dict from name to program and arguments.
        threads: int. For computing, of each.
    """

    def one(name):
        print(f"starting {name}", file=sys.stderr, flush=True)
        return Contender(*wanted[name], threads)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return dict(zip(wanted, pool.map(one, wanted), strict=True))


def measure(wanted, options, seconds):
    """Starts contenders, times them in turns of some seconds each, and ends them.

    Args:
        wanted: dict from name to program and arguments.
        options: of the command line: `rounds` and `threads` (`results.add_arguments`).
        seconds: float. Length of a turn; it has one step at least, 200 at most.

    Returns: dict from name to `Contender` that has ended.
    """
    contenders = start(wanted, options.threads)
    take_turns(contenders, 1, dict.fromkeys(contenders, 1))
    steps = {
        name: max(1, min(200, round(seconds / contender.seconds.pop())))
        for name, contender in contenders.items()
    }
    take_turns(contenders, options.rounds, steps)
    for contender in contenders.values():
        contender.end()
    return contenders


def take_turns(contenders, rounds, steps):
    """`rounds` turns of each, one after the other.

    Args:
        contenders: dict of str to `Contender`.
        rounds: int.
        steps: dict of str to int: steps a turn.
    """
    for _ in range(rounds):
        for name, contender in contenders.items():
            contender.turn(steps[name])
