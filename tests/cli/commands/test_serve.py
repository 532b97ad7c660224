import signal
import subprocess
import sys

import pytest
import urllib3

from keras_sagan.cli.main import main
from keras_sagan.extras import install_command
from keras_sagan.serving.client.client import Client
from tests.serving.conftest import GLYPHS, loading_for_ever, served


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_serves_until_a_signal(tmp_path, number):
    options = ["--name", "drawn", "--version-label", "stable=1"]
    with served(GLYPHS, tmp_path / "printed", *options) as server:
        first = server.text
        for url in (f"{server.grpc}/labels/stable", server.rest):
            with Client(url) as client:
                assert client.generate(labels=[1]).shape == (1, 32, 32, 3)
        assert server.stop(number) == 0
        assert server.text == first + "Stopping: finishing requests that have begun.\n"
    assert first.startswith("Development server, not for production")
    assert "model drawn, version 1: " in first and "generate_png" in first
    assert "grpc://127.0.0.1:" in first and "/v1/models/drawn" in first
    assert first.endswith("Only this machine can reach it. Ctrl-C stops it.\n")


@pytest.mark.slow
def test_listening_for_others_is_a_warning(tmp_path):
    with served(GLYPHS, tmp_path / "printed", "--host", "0.0.0.0") as server:
        assert "warning: whoever can reach 0.0.0.0 can use it" in server.text
        assert server.stop() == 0


@pytest.mark.slow
def test_a_token_and_names(tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef\n")
    grid = str(tmp_path / "grid.png")
    sample = ["sample", "-o", grid, "--labels", "1", "--num-images", "1", "--server"]
    options = ["--host", "0.0.0.0", "--token-file", str(token)]
    with served(GLYPHS, tmp_path / "printed", *options) as server:
        assert "warning: others can reach 0.0.0.0" in server.text
        assert "0123456789abcdef" not in server.text
        for url in (server.grpc, server.rest):
            local = url.replace("0.0.0.0", "127.0.0.1")
            assert main([*sample, local]) == 2
            right = ["--force", "--token-file", str(token)]
            assert main([*sample, local, *right]) == 0
    names = ["--allowed-host", "models.example"]
    with served(GLYPHS, tmp_path / "printed", *names) as server:
        for host, status in [("models.example", 200), ("evil.example", 403)]:
            headers = {"Host": host}
            got = urllib3.request("GET", server.rest, headers=headers, retries=False)
            assert got.status == status


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_signal_while_the_model_is_loaded(tmp_path, number):
    with loading_for_ever(
        tmp_path, "serve", str(tmp_path), "--grpc-port", "0", "--rest-port", "0"
    ) as process:
        process.send_signal(number)
        assert process.wait(timeout=10) == -number


def test_no_model_there(tmp_path, capsys):
    assert main(["serve", str(tmp_path)]) == 2
    assert "There is no trained model at" in capsys.readouterr().err


def test_the_extra_is_named(tmp_path):
    code = (
        "import sys; sys.modules['aiohttp'] = None; from keras_sagan.cli.main import "
        f"main; sys.exit(main(['serve', {str(tmp_path)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    *_, line = done.stderr.splitlines()  # after those of TensorFlow
    assert line.startswith("keras-sagan: error: The server (")
    assert line.endswith(f"needs more packages: {install_command('serving')}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-batch", "0"], "an integer in [1, 2147483647]. Received: 0"),
        (["--grpc-port", "-1"], "must be an integer in [0, 65535]. Received: -1"),
        (["--grpc-port", "70000"], "must be an integer in [0, 65535]. Received: 70000"),
        (["--rest-port", "70000"], "must be an integer in [0, 65535]. Received: 70000"),
        (["--rest-port", "x"], "must be an integer in [0, 65535]. Received: x"),
        (["--max-answer-bytes", "0"], "an integer in [1, 2147483647]. Received: 0"),
        (["--version-label", "stable"], "must be LABEL=N. Received: stable"),
    ],
)
def test_options(options, message, capsys):
    with pytest.raises(SystemExit):
        main(["serve", "directory", *options])
    assert message in capsys.readouterr().err
