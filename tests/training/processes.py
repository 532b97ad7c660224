"""Real workers: `keras-sagan train`, or a program, in processes of their own."""

import os
import subprocess
import sys

from tests import helpers
from tests.training import ports


def start(commands, folder, programs=None, variables=None):
    """Starts `python ARGUMENTS` for each of some lists; output goes to files.

    Instead of Python, the `programs` are started, one a list; each has its own of the
    environment `variables`.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": str(helpers.ROOT),
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
    }
    folder.mkdir(parents=True, exist_ok=True)
    processes = []
    for index, arguments in enumerate(commands):
        with (folder / f"{index}.txt").open("w") as output:
            processes.append(
                subprocess.Popen(
                    [
                        *(programs[index] if programs else [sys.executable]),
                        *map(str, arguments),
                    ],
                    env=environment | (variables[index] if variables else {}),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            )
    return processes


def finish(processes, folder):
    """Exit statuses and outputs of processes that were started."""
    statuses = [process.wait() for process in processes]
    texts = [
        (folder / f"{index}.txt").read_text(errors="replace")
        for index in range(len(processes))
    ]
    return statuses, texts


def train_commands(common, own):
    """Arguments of workers of `keras-sagan train`: common ones, and those of each."""
    workers = ",".join(ports.free_addresses(len(own)))
    return [
        [
            *("-m", "keras_sagan", "train", *common, *mine),
            *("--workers", workers, "--index", index),
        ]
        for index, mine in enumerate(own)
    ]
