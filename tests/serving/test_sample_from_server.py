"""`keras-sagan sample --server`."""

import numpy as np
import pytest
from PIL import Image

from keras_sagan.cli.main import main
from keras_sagan.serving.client.client import Client
from keras_sagan.visualize import image_grid


def sample(server, output, *options):
    return main(["sample", "--server", server, "-o", str(output), *options])


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_sample_from_a_server(server, protocol, tmp_path, capsys):
    output, url = tmp_path / "grid.png", getattr(server, protocol)
    options = "--labels 3,7 --num-images 2 --seed 4 --truncation 0.5"
    assert sample(url, output, *options.split()) == 0
    assert capsys.readouterr().out == f"{output}\n"
    with Client(url) as client:
        images = client.generate(labels=[3, 3, 7, 7], seed=[4, 5, 4, 5], truncation=0.5)
    with Image.open(output) as picture:
        pixels = np.asarray(picture).astype(int)
    assert np.abs(pixels - image_grid(images, columns=2)).max() <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "name those wanted with --labels"),
        (["--labels", "one,two"], "--labels takes indices. Received: one, two"),
        (["--labels", "10"], "label must be in [0, 10)"),
    ],
)
def test_labels_of_a_server(server, options, message, tmp_path, capsys):
    assert sample(server.grpc, tmp_path / "grid.png", *options) == 2
    assert message in capsys.readouterr().err


def test_a_model_or_a_server(tmp_path, capsys):
    for arguments in ([], ["model", "--server", "grpc://h/m"]):
        with pytest.raises(SystemExit):
            main(["sample", "-o", "x.png", *arguments])
        assert "--server" in capsys.readouterr().err
    assert sample("localhost", tmp_path / "x.png", "--labels", "1") == 2
    assert "`url` must be like" in capsys.readouterr().err
