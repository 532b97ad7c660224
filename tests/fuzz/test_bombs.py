"""What small files may cost: memory and time stay in bounds."""

import json
import os
import subprocess
import sys

import pytest

from tests import helpers
from tests.fuzz import bombs


@pytest.mark.slow
def test_no_file_costs_more_than_it_is_worth():
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.bombs"],
        cwd=helpers.ROOT,
        env={**os.environ, "PYTHONPATH": str(helpers.ROOT)},
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert list(found) == list(bombs.bombs())
    for name, (said, memory, seconds) in found.items():
        assert said is False, f"{name}: {said}"  # refused with an explanation
        assert memory < 100, f"{name}: {memory} MiB"
        assert seconds < 5, f"{name}: {seconds} s"
