"""In processes of their own; `test_serve` and `test_explore` signal the commands."""

import signal
import subprocess
import sys

import pytest

SCRIPT = """
import sys, time
from keras_sagan.cli import stopping
stopping.end_at_signals()
print("loading", flush=True)
if sys.argv[1] == "loading":
    time.sleep(60)
stop = stopping.stop_event()
print("ready", flush=True)
stop.wait()
print("stopping", flush=True)
time.sleep(60 if sys.argv[1] == "stopping" else 0)
"""
QUICK = [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]


def running(state, *before):
    process = subprocess.Popen(
        [*before, sys.executable, "-c", SCRIPT, state],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "loading\n"
    return process


@pytest.mark.parametrize("number", QUICK)
def test_loading_is_ended(number):
    with running("loading") as process:
        process.send_signal(number)
        assert process.wait(timeout=10) == -number


@pytest.mark.parametrize("number", QUICK)
def test_serving_is_stopped(number):
    with running("serving") as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "stopping\n"
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("number", QUICK)
def test_the_second_signal_ends_what_takes_too_long(number):
    with running("stopping") as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(number)
        assert process.wait(timeout=10) == -number


def test_the_first_process_of_a_container():
    """The system ends it by no signal."""
    alone = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine makes no process namespaces here")
    script = "import os; assert os.getpid() == 1" + SCRIPT + "\n"
    sender = "import os, signal; os.kill(1, signal.SIGTERM)"
    script = script.replace(
        "time.sleep(60)",
        f"import subprocess; subprocess.run([sys.executable, '-c', {sender!r}]); "
        "time.sleep(60)",
        1,
    )
    done = subprocess.run(
        [*alone, sys.executable, "-c", script, "loading"],
        capture_output=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 128 + signal.SIGTERM
