"""KServe's model server and MLServer, started as docs/how-to/deploy.md says."""

import contextlib
import os
import shutil
import subprocess
import sys
import time

import urllib3

from keras_sagan.listening import ports
from tests import environments
from tests.helpers import ROOT

FILES = ROOT / "deploy" / "model_servers"
KSERVE = ["kserve==0.21.0", "onnxruntime==1.32.0", "pillow>=11.3"]
MLSERVER = ["mlserver==1.7.1", "onnxruntime==1.32.0"]
NAME = "glyphs"


@contextlib.contextmanager
def kserve(onnx, folder):
    """KServe with an ONNX model, which prints into `folder`: its process and address.

    The model is at `/v1/models/glyphs` and `/v2/models/glyphs`.
    """
    python = environments.python_with("kserve", KSERVE, "kserve", sys.executable)
    http, grpc = _free_ports(2)
    command = [python, FILES / "kserve_server.py", "--model_name", NAME]
    options = ["--onnx", onnx, f"--http_port={http}", f"--grpc_port={grpc}"]
    with _running([*command, *options], folder, {}) as process:
        yield process, _when_ready(process, folder, f"http://localhost:{http}")


@contextlib.contextmanager
def mlserver(onnx, folder):
    """MLServer, as above; the model is at `/v2/models/glyphs`."""
    python = environments.python_with("mlserver", MLSERVER, "mlserver", sys.executable)
    shutil.copytree(FILES, folder / "model")
    shutil.copyfile(onnx, folder / "model" / "model.onnx")
    http, grpc, metrics = _free_ports(3)
    settings = {
        "MLSERVER_HOST": "127.0.0.1",
        "MLSERVER_PARALLEL_WORKERS": "0",
        "MLSERVER_HTTP_PORT": str(http),
        "MLSERVER_GRPC_PORT": str(grpc),
        "MLSERVER_METRICS_PORT": str(metrics),
    }
    command = [python.with_name("mlserver"), "start", folder / "model"]
    with _running(command, folder, settings) as process:
        yield process, _when_ready(process, folder, f"http://localhost:{http}")


def _free_ports(count):
    """Ports that were free a moment ago: these servers do not say which they took."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(ports.listen()) for _ in range(count)]
        return [listening.getsockname()[1] for listening in sockets]


@contextlib.contextmanager
def _running(command, folder, settings):
    environment = {**os.environ, **settings}
    environment.pop("PYTHONPATH", None)
    with (folder / "printed").open("w") as printed:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=printed, stderr=printed
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _when_ready(process, folder, address):
    """The address, once the model can be called there."""
    path = f"{address}/v2/models/{NAME}/ready"
    with urllib3.PoolManager(retries=False, timeout=10) as http:
        while process.poll() is None:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if http.request("GET", path).status == 200:
                    return address
            time.sleep(0.05)
    raise RuntimeError((folder / "printed").read_text())
