"""The short version of `benchmarks/chaos.py`."""

import os
import subprocess
import sys

import pytest

from tests import helpers


@pytest.mark.slow
@pytest.mark.chaos
@pytest.mark.parametrize("storages", [("1",), ("1", "0")], ids=["memory", "both"])
def test_a_run_that_is_killed_ends_with_the_same_bits(picture_folder, storages):
    """Both: it begins with decoded pictures, and goes on with those in their files."""
    more = ["--", "--batch-size", "4", "--set", "model.base_filters=4"]
    options = ["--runs", "1", "--steps", "30", "--dataset", f"folder:{picture_folder}"]
    options += ["--data-memory", *storages]
    done = subprocess.run(
        [sys.executable, "benchmarks/chaos.py", *options, *more],
        cwd=helpers.ROOT,
        env={**os.environ, "PYTHONPATH": str(helpers.ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "run 0: killed " in done.stdout
    assert "1 of 1 runs bit-identical" in done.stdout
