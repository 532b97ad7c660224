import json
import signal
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
import urllib3

pytest.importorskip("aiohttp")

from keras_sagan.cli.commands.explore import open_explored
from keras_sagan.cli.main import main
from keras_sagan.listening.ports import listen
from keras_sagan.runs import load_trained
from tests.helpers import ROOT
from tests.serving.conftest import loading_for_ever


def test_it_serves_until_a_signal():
    command = [sys.executable, "-m", "keras_sagan", "explore", "saved_models/glyphs"]
    process = subprocess.Popen(
        [*command, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        line = process.stdout.readline()
        assert line.startswith("Explorer: http://127.0.0.1:")
        with urllib.request.urlopen(f"{line.split()[1]}api/model") as answer:
            assert json.load(answer)["name"] == "glyphs/1"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_a_run_shows_both_networks(run_directory):
    explored = open_explored(run_directory)
    gan = load_trained(run_directory)
    assert (explored.name, explored.image_size) == ("tiny", 32)
    assert explored.classes == ["blue", "red"]
    assert explored.layers == ["generator/attention_16", "discriminator/attention_16"]
    latents = explored.latents([7, 8], 0.5)
    assert latents.shape == (2, 128) and abs(latents).max() <= 0.5
    _, maps = explored.view(explored.latents([8], None), [1])
    expected = gan.attention_maps(labels=[1], seed=8)
    assert list(maps) == list(expected) == explored.layers
    for name, attention in maps.items():
        np.testing.assert_array_equal(attention, expected[name])


def test_an_export_shows_the_generator():
    explored = open_explored(ROOT / "saved_models" / "glyphs")
    assert (explored.name, explored.image_size) == ("glyphs/1", 32)
    assert explored.classes == list("0123456789")
    assert explored.layers == ["generator/attention_16"]
    assert explored.latents([7], 0.5).shape == (1, 128)


def test_a_port_in_use(capsys):
    with listen() as taken:
        port = str(taken.getsockname()[1])
        assert main(["explore", "no such model", "--port", port]) == 2
    assert f"Port {port} of 127.0.0.1 is in use" in capsys.readouterr().err


def test_no_model_there(tmp_path, capsys):
    assert main(["explore", str(tmp_path), "--port", "0"]) == 2
    assert "no trained model" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_wrong_ports(port, capsys):
    with pytest.raises(SystemExit):
        main(["explore", "model", "--port", port])
    expected = f"--port: must be an integer in [0, 65535]. Received: {port}"
    assert expected in capsys.readouterr().err


def test_wrong_names(capsys):
    assert main(["explore", "model", "--allowed-host", "http://demo.example"]) == 2
    assert "names without scheme and port" in capsys.readouterr().err


@pytest.mark.slow
def test_names():
    command = [sys.executable, "-m", "keras_sagan", "explore", "saved_models/glyphs"]
    with subprocess.Popen(
        [*command, "--port", "0", "--allowed-host", "demo.example"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        url = f"{process.stdout.readline().split()[1]}api/model"
        for host, status in [("demo.example", 200), ("evil.example", 403)]:
            headers = {"Host": host}
            got = urllib3.request("GET", url, headers=headers, retries=False)
            assert got.status == status
        process.terminate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_model_is_loaded(tmp_path, number):
    with loading_for_ever(
        tmp_path, "explore", str(tmp_path / "1"), "--port", "0"
    ) as process:
        process.send_signal(number)
        assert process.wait(timeout=10) == -number
