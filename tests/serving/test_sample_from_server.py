"""`keras-sagan sample --server`."""

import json

import numpy as np
import pytest
from PIL import Image

from keras_sagan.cli.main import main
from keras_sagan.serving.client.client import Client
from keras_sagan.visualize import image_grid
from tests.serving.conftest import GLYPHS


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
        ([], "choose some with --labels"),
        (["--labels", "one,two"], "indices, or names with --card. Received: one, two"),
        (["--labels", "10"], "label must be in [0, 10)"),
    ],
)
def test_labels_of_a_server(server, options, message, tmp_path, capsys):
    assert sample(server.grpc, tmp_path / "grid.png", *options) == 2
    assert message in capsys.readouterr().err


def test_names_of_classes_are_those_of_the_card(server, tmp_path, capsys):
    card = json.loads((GLYPHS / "1" / "assets.extra" / "model.json").read_text())
    names = "zero one two three four five six seven eight 1".split()
    file = tmp_path / "model.json"
    file.write_text(json.dumps({**card, "class_names": names}))
    grids = []
    options = ["--num-images", "2"]
    for labels in (["3", "9", "8"], ["three", "1", "8"]):  # "1" is the name of class 9
        grids.append(tmp_path / f"{labels[0]}.png")
        given = ["--labels", ",".join(labels), *options]
        given += ["--card", str(file)] if labels[0] == "three" else []
        assert sample(server.grpc, grids[-1], *given) == 0
    assert grids[0].read_bytes() == grids[1].read_bytes()
    whole = tmp_path / "all.png"
    assert sample(server.grpc, whole, *options, "--card", str(file)) == 0
    with Image.open(whole) as picture:
        assert picture.size == (2 * 34 + 2, 10 * 34 + 2)
    capsys.readouterr()
    given = ["--labels", "nine", "--card", str(file)]
    assert sample(server.grpc, tmp_path / "x.png", *given) == 2
    assert "must be the classes of the card, zero" in capsys.readouterr().err
    (tmp_path / "other.json").write_text("{}")
    given = ["--labels", "1", "--card", str(tmp_path / "other.json")]
    assert sample(server.grpc, tmp_path / "x.png", *given) == 2
    assert "--card must be the file model.json" in capsys.readouterr().err


def test_a_model_or_a_server(tmp_path, capsys):
    for arguments in ([], ["model", "--server", "grpc://h/m"]):
        with pytest.raises(SystemExit):
            main(["sample", "-o", "x.png", *arguments])
        assert "--server" in capsys.readouterr().err
    assert sample("localhost", tmp_path / "x.png", "--labels", "1") == 2
    assert "`url` must be like" in capsys.readouterr().err
