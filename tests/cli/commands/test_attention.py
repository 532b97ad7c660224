import shutil
import types

import numpy as np
import pytest
from PIL import Image

from keras_sagan.cli.commands.attention import label_of
from keras_sagan.cli.main import main
from keras_sagan.runs import load_trained
from keras_sagan.runs.loading import models_over_time
from keras_sagan.visualize import attention_figure, draw_view
from keras_sagan.visualize.attention import chosen_points, view


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


@pytest.mark.slow
def test_one_checkpoint(run_directory, tmp_path, capsys):
    output = tmp_path / "x.gif"
    assert attention(run_directory, "-o", output, "--num-points", 2) == 0
    assert "one checkpoint: the .gif has a single" in capsys.readouterr().out
    with Image.open(output) as image:
        assert image.n_frames == 1
        assert image.width == 3 * 168 + 8


@pytest.mark.slow
def test_over_checkpoints(run_directory, picture_folder, tmp_path):
    """A frame a checkpoint, oldest first, the points of the last one in all."""
    longer = tmp_path / "longer"
    shutil.copytree(run_directory, longer)
    options = "--steps 6 --batch-size 4 --log-every 2 --sample-every 3 --seed 5 "
    options += "--set model.base_filters=4 --set model.d_base_filters=4 "
    options += "--dtype-policy float32"
    data = ["--dataset", f"folder:{picture_folder}"]
    assert main(["train", *data, "--output", str(longer), *options.split()]) == 0
    output = tmp_path / "x.gif"
    assert attention(longer, "-o", output, "--num-points", 2, "--seed", 3) == 0
    views = [(step, view(gan, 0, 3)) for step, gan in models_over_time(longer)]
    assert [step for step, _ in views] == [4, 6]
    points = chosen_points(views[-1][1], "auto", 2, "generator/attention_16")
    with Image.open(output) as image:
        assert image.n_frames == 2
        for index, (step, shown) in enumerate(views):
            image.seek(index)
            title = f"class blue, seed 3, step {step}"
            drawn = draw_view(shown, points, title=title).astype(int)
            frame = np.asarray(image.convert("RGB"))
            assert abs(frame - drawn).mean() < 6  # 256 colours
            other = draw_view(views[1 - index][1], points, title=title).astype(int)
            assert abs(frame - drawn).mean() < abs(frame - other).mean()


@pytest.mark.slow
def test_a_point_outside(run_directory, tmp_path, capsys):
    output = tmp_path / "x.png"
    assert attention(run_directory, "-o", output, "--points", "40,2") == 2
    assert "from 0,0 to 31,31. Received: 40,2" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_model_without_a_run(run_directory, tmp_path, capsys):
    assert attention(run_directory / "model", "-o", tmp_path / "x.gif") == 2
    assert "but the directory of a run is needed" in capsys.readouterr().err


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
    model = types.SimpleNamespace(num_classes=3, class_names=names)
    given = (None, "1", "7", "x")
    assert [label_of(text, model) for text in given] == [0, 1, "7", "x"]
    model = types.SimpleNamespace(num_classes=None, class_names=None)
    assert label_of(None, model) is None
