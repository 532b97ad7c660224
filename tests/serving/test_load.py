"""A short run of the load benchmark: concurrent clients, every picture checked."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import serving_load
from tests.helpers import ROOT
from tests.serving.conftest import GLYPHS


@pytest.mark.slow
def test_concurrent_clients_get_their_own_pictures(server):
    script = [sys.executable, "-m", "benchmarks.serving_load", "--model", str(GLYPHS)]
    running = ["--server", server.grpc, "--server", server.rest]
    amount = ["--requests", "400", "--clients", "16", "--processes", "2"]
    done = subprocess.run(
        [*script, *running, *amount],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["requests"] == 400 and result["images"] > 800
    assert result["lost"] == result["wrong"] == 0
    assert set(result["latency_ms"]) == {"grpc", "http"}


def test_every_row_has_its_own_seed():
    rows = serving_load.request_rows(50)
    assert len(set(rows["seed"])) == len(rows["seed"]) == rows["starts"][-1]
    assert set(np.diff(rows["starts"])) == {1, 2, 3, 4}


def test_another_picture_is_noticed():
    expected = np.random.default_rng(0).integers(0, 255, (3, 8, 8, 3)).astype("uint8")
    assert serving_load.compare(expected, expected) == 0
    rounded = expected.copy()
    rounded[1, 0, 0, 0] += 1
    assert serving_load.compare(rounded, expected) == 1
    assert serving_load.compare(expected[[0, 2, 1]], expected) == "2 wrong pictures"
    assert serving_load.compare(expected[:2], expected) == "shape (2, 8, 8, 3) of uint8"


@pytest.mark.parametrize(
    ("outcomes", "sizes", "passed"),
    [
        ([("grpc:", 0.1, 0)] * 4, [100.0] * 8, True),
        ([("grpc:", 0.1, 0)] * 4, [100.0] * 6 + [103.0] * 2, False),
        ([("grpc:", 0.1, 0)] * 3 + [("grpc:", None, "UNAVAILABLE")], [], False),
        ([("grpc:", 0.1, 0)] * 3 + [("grpc:", 0.1, "1 wrong pictures")], [], False),
        ([("grpc:", 0.1, 5)] * 4, [], False),
    ],
)
def test_what_passes(outcomes, sizes, passed):
    rows = serving_load.request_rows(4)
    result = serving_load.summary(outcomes, rows, 100_000, 1.0, sizes)
    assert result["passed"] is passed
