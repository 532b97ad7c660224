"""The short version of `benchmarks/faults.py`, and all of it with `-m patient`."""

import os
import subprocess
import sys

import pytest

from tests import helpers


def namespace_of_mounts():
    """Whether this machine lets the tests mount something."""
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    try:
        command = ["unshare", *user, "--mount", "mount", "-t", "tmpfs", "x", "/mnt"]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = [
    pytest.mark.chaos,
    pytest.mark.slow,
    pytest.mark.skipif(
        not namespace_of_mounts(), reason="needs `unshare` and the right to mount"
    ),
]


def inject(*arguments):
    done = subprocess.run(
        [sys.executable, "benchmarks/faults.py", *arguments],
        cwd=helpers.ROOT,
        env={**os.environ, "PYTHONPATH": str(helpers.ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_disk_that_is_full_when_the_model_is_written():
    # HDF5 would end the process by a signal
    printed = inject("--once", "full-weights")
    assert "No space left on device: 'RUN/model/model.weights.h5'" in printed
    assert "1 of 1 cases as they should be" in printed


@pytest.mark.patient
def test_all_faults():
    assert "cases as they should be" in inject()
