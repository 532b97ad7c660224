import signal
import subprocess
import sys

import pytest

from keras_sagan.cli.main import main
from keras_sagan.serving.client.client import Client
from tests.serving.conftest import GLYPHS, served


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal(tmp_path, number):
    options = ["--name", "drawn", "--version-label", "stable=1"]
    with served(GLYPHS, tmp_path / "printed", *options) as server:
        first = server.text
        for url in (f"{server.grpc}/labels/stable", server.rest):
            with Client(url) as client:
                assert client.generate(labels=[1]).shape == (1, 32, 32, 3)
        assert server.stop(number) == 0
        assert server.text == first + "Stopping: finishing the requests begun.\n"
    assert first.startswith("Development server, not for production")
    assert "model drawn, version 1: " in first and "generate_png" in first
    assert "grpc://127.0.0.1:" in first and "/v1/models/drawn" in first
    assert first.endswith("Only this machine can reach it. Ctrl-C stops it.\n")


def test_listening_for_others_is_a_warning(tmp_path):
    with served(GLYPHS, tmp_path / "printed", "--host", "0.0.0.0") as server:
        assert "warning: whoever can reach 0.0.0.0 can use it" in server.text
        assert server.stop() == 0


def test_no_model_there(tmp_path, capsys):
    assert main(["serve", str(tmp_path)]) == 2
    assert "must hold a version of a model" in capsys.readouterr().err


def test_the_extra_is_named(tmp_path):
    code = (
        "import sys; sys.modules['aiohttp'] = None; from keras_sagan.cli.main import "
        f"main; sys.exit(main(['serve', {str(tmp_path)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install 'keras-sagan[serving]'" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-batch", "0"], "must be at least 1. Received: 0"),
        (["--grpc-port", "-1"], "must be at least 0. Received: -1"),
        (["--version-label", "stable"], "must be LABEL=N. Received: stable"),
    ],
)
def test_options(options, message, capsys):
    with pytest.raises(SystemExit):
        main(["serve", "directory", *options])
    assert message in capsys.readouterr().err
