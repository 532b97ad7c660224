import numpy as np
import pytest
from PIL import Image

from keras_sagan.cli.attention import label
from keras_sagan.cli.main import main
from keras_sagan.training import load_trained
from keras_sagan.visualize import attention_figure


def attention(*arguments):
    return main(["attention", *map(str, arguments)])


def test_the_figure_of_a_run(run_directory, tmp_path, capsys):
    output = tmp_path / "new" / "x.png"
    options = "--label red --seed 7 --points 8,8;20,24".split()
    assert attention(run_directory, "-o", output, *options) == 0
    assert capsys.readouterr().out == f"{output}\n"
    gan = load_trained(run_directory)
    expected = attention_figure(
        gan, 1, 7, [(8, 8), (20, 24)], title="class red, seed 7"
    )
    with Image.open(output) as image:
        np.testing.assert_array_equal(np.asarray(image), expected)


def test_over_checkpoints(run_directory, tmp_path):
    output = tmp_path / "x.gif"
    assert attention(run_directory, "-o", output, "--num-points", 2) == 0
    with Image.open(output) as image:
        assert image.n_frames == 1  # the run has one checkpoint
        assert image.width == 3 * 168 + 8


def test_a_point_outside(run_directory, tmp_path, capsys):
    output = tmp_path / "x.png"
    assert attention(run_directory, "-o", output, "--points", "40,2") == 2
    assert "from 0,0 to 31,31. Received: 40,2" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_run_without_checkpoints(run_directory, tmp_path, capsys):
    assert attention(run_directory / "model", "-o", tmp_path / "x.gif") == 2
    assert "has no checkpoints" in capsys.readouterr().err


def test_a_file_is_not_replaced(tmp_path, capsys):
    (tmp_path / "x.png").write_text("mine")
    assert attention("no such run", "-o", tmp_path / "x.png") == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("points", ["", "1", "1,2,3", "a,b", "1,2;3"])
def test_points_are_pairs(capsys, points):
    with pytest.raises(SystemExit):
        attention("run", "--points", points)
    assert "must be auto, or pixels like 8,8;20,24" in capsys.readouterr().err


def test_labels():
    names = ("7", "0", "x")
    assert [label(x, 3, names) for x in (None, "1", "7", "x")] == [0, 1, "7", "x"]
    assert label(None, None, None) is None
