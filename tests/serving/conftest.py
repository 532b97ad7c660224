"""A development server in a process of its own, as `keras-sagan serve` starts it."""

import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.helpers import ROOT

GLYPHS = ROOT / "saved_models" / "glyphs"


@dataclasses.dataclass
class Server:
    """A running server: its process, addresses and the file that it prints to."""

    process: subprocess.Popen
    output: pathlib.Path
    grpc: str = ""
    rest: str = ""

    @property
    def text(self):
        """What it printed so far."""
        return self.output.read_text()

    def stop(self, number=signal.SIGTERM):
        """Sends a signal and returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait()

    def wait_until_ready(self):
        while "Ctrl-C" not in self.text:
            assert self.process.poll() is None, self.text
            time.sleep(0.05)
        self.grpc = re.search(r"grpc://\S+", self.text)[0]
        self.rest = re.search(r"http://\S+", self.text)[0]


@contextlib.contextmanager
def served(directory, output, *options):
    """`keras-sagan serve DIRECTORY OPTIONS` while the context lasts."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # as a person starts it
    command = [sys.executable, "-m", "keras_sagan", "serve", str(directory)]
    with output.open("w") as printed:  # a pipe that nobody reads would fill up
        process = subprocess.Popen(
            [*command, "--grpc-port", "0", "--rest-port", "0", *options],
            cwd=ROOT,
            env=environment,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    try:
        running = Server(process, output)
        running.wait_until_ready()
        yield running
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def loading_for_ever(directory, *arguments):
    """`keras-sagan ARGUMENTS` with a model `DIRECTORY/1` whose loading never ends.

    Its variables are a pipe that nobody writes to. TensorFlow is there already.
    """
    shutil.copytree(GLYPHS / "1", directory / "1")
    index = directory / "1" / "variables" / "variables.index"
    index.unlink()
    os.mkfifo(index)
    command = [sys.executable, "-m", "keras_sagan", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        maps = pathlib.Path(f"/proc/{process.pid}/maps")
        try:
            while "libtensorflow_cc" not in maps.read_text():
                assert process.poll() is None
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The bundled model behind a real server, for all tests that only ask."""
    output = tmp_path_factory.mktemp("server") / "printed"
    with served(GLYPHS, output) as running:
        yield running


@pytest.fixture(params=["grpc", "rest"])
def url(request, server):
    """Address of the bundled model by either protocol."""
    return getattr(server, request.param)
