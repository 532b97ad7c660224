"""Two machines, as far as one can be two: network namespaces joined by a cable."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from tests.training import processes

LIMIT_SECONDS = 60


def ip(*arguments):
    done = subprocess.run(
        ["ip", *arguments], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def machines():
    """Names of two namespaces with the addresses 10.77.0.1 and 10.77.0.2."""
    names = [f"sagan{os.getpid()}{letter}" for letter in "ab"]
    made = []
    try:
        for name in names:
            ip("netns", "add", name)
            made.append(name)
        first, second = names
        cable = ["type", "veth", "peer", "name", "cable", "netns", second]
        ip("link", "add", "cable", "netns", first, *cable)
        for number, name in enumerate(names, 1):
            ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "cable")
            ip("-n", name, "link", "set", "cable", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield names
    finally:
        for name in made:
            ip("netns", "del", name)


@pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("ip") is None,
    reason="needs root and iproute2, to make network namespaces",
)
@pytest.mark.chaos
@pytest.mark.distributed
@pytest.mark.patient
def test_a_cut_cable_ends_both(machines, picture_folder, tmp_path):
    text = "--batch-size 4 --dtype-policy float32 --log-every 2 --checkpoint-every 2 "
    text += "--set model.base_filters=4 --set model.attention_resolutions=[] "
    text += "--workers 10.77.0.1:2222,10.77.0.2:2222 --steps 100000"
    common = ["--dataset", f"folder:{picture_folder}", "-o", tmp_path / "run"]
    common += text.split()
    workers = processes.start(
        [
            ["-m", "keras_sagan", "train", *common, "--index", index]
            for index in range(2)
        ],
        tmp_path,
        programs=[["ip", "netns", "exec", name, sys.executable] for name in machines],
    )
    first = tmp_path / "run" / "checkpoints" / "0000004"
    while not first.exists():
        assert all(x.poll() is None for x in workers), processes.finish(
            workers, tmp_path
        )
        time.sleep(0.05)
    ip("-n", machines[0], "link", "set", "cable", "down")  # no connection is closed
    begin = time.monotonic()
    statuses, texts = processes.finish(workers, tmp_path)
    assert statuses == [75, 75], texts
    assert time.monotonic() - begin < LIMIT_SECONDS
    for text in texts:
        assert "Start all workers again with the same command" in text
