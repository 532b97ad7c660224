import numpy as np
import pytest
from PIL import Image

from keras_sagan.cli.commands.sample import _labels
from keras_sagan.cli.main import main
from keras_sagan.runs.loading import load_trained
from keras_sagan.visualize import image_grid


def sample(run_directory, output, *options):
    assert main(["sample", str(run_directory), "-o", str(output), *options]) == 0
    with Image.open(output) as image:
        return np.asarray(image).astype(int)


def test_grid_of_labels_by_index_and_name(run_directory, tmp_path, capsys):
    output = tmp_path / "new" / "grid.png"
    options = "--labels red,blue --num-images 3 --seed 4 --truncation 0.5"
    pixels = sample(run_directory, output, *options.split())
    assert capsys.readouterr().out == f"{output}\n"
    gan = load_trained(run_directory)
    images = gan.generate(
        labels=[1, 1, 1, 0, 0, 0], seed=[4, 5, 6, 4, 5, 6], truncation=0.5
    )
    assert np.abs(pixels - image_grid(images, columns=3)).max() <= 1


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('"cat, grey",1, dog', ["cat, grey", 1, "dog"]),
        ('7,5" pipe', ["7", '5" pipe']),  # "7" is the name of a class
        ("-x", ["-x"]),
        (None, []),
    ],
)
def test_names_of_classes_with_commas_and_others(text, labels):
    assert _labels(text, ("7", "cat, grey")) == labels


def test_every_class_by_default(run_directory, tmp_path):
    pixels = sample(run_directory / "model", tmp_path / "grid.png")
    assert pixels.shape == (2 * 34 + 2, 8 * 34 + 2, 3)


@pytest.mark.slow
def test_devices_share_the_images(run_directory, tmp_path):
    options = ["--num-images", "3", "--seed", "4"]
    one = sample(run_directory, tmp_path / "one.png", *options)
    strategy = ["--strategy", "mirrored"]  # four logical CPU devices
    four = sample(run_directory, tmp_path / "four.png", *options, *strategy)
    assert np.abs(one - four).max() <= 1


@pytest.mark.parametrize(
    "options",
    [
        ["MODEL", "--interpolate-latents", "1,2"],
        ["MODEL", "--interpolate-classes"],
        ["--server", "grpc://localhost:1/m", "--labels", "1"],
    ],
)
def test_what_devices_do_not_share(options, tmp_path, capsys):
    arguments = ["-o", str(tmp_path / "x.png"), "--strategy", "mirrored"]
    assert main(["sample", *options, *arguments]) == 2
    assert "--strategy spreads seeds over devices" in capsys.readouterr().err


def test_an_unknown_class(run_directory, tmp_path, capsys):
    output = tmp_path / "grid.png"
    options = ["-o", str(output), "--labels", "green"]
    assert main(["sample", str(run_directory), *options]) == 2
    assert "'green'" in capsys.readouterr().err
    assert not output.exists()


def test_output_must_be_a_picture(capsys):
    with pytest.raises(SystemExit):
        main(["sample", "dir", "-o", "grid.jpg"])
    assert "must end in .png or .gif. Received: grid.jpg" in capsys.readouterr().err


def test_a_file_is_not_replaced(tmp_path, capsys):
    output = tmp_path / "grid.png"
    output.write_text("mine")
    assert main(["sample", "no such run", "-o", str(output)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert output.read_text() == "mine"


def test_columns_one_after_the_other(run_directory, tmp_path):
    output = tmp_path / "x.gif"
    options = "--interpolate-classes --labels red,blue --frames 3 --num-images 2"
    assert (
        main(["sample", str(run_directory), "-o", str(output), *options.split()]) == 0
    )
    with Image.open(output) as image:
        assert image.n_frames == 4
        assert image.size == (2 * 98 + 2, 98 + 2)  # three times as large


def test_nearest_of_the_runs_own_data(run_directory, tmp_path, capsys):
    options = ["--nearest", "--neighbours", "2", "--num-images", "1"]
    pixels = sample(run_directory, tmp_path / "x.png", *options)
    assert pixels.shape == (2 * 34 + 2, (34 + 2) + 12 + (2 * 34 + 2), 3)
    assert (pixels[:, 36:48] == 255).all()
    words = capsys.readouterr().out
    assert "nearest of 16 training pictures" in words
    assert len(words.partition("top row down: ")[2].splitlines()[0].split(", ")) == 2


def test_rows_of_a_sweep_are_named(run_directory, tmp_path, capsys):
    sample(run_directory, tmp_path / "x.png", "--truncation-sweep", "0.3,none")
    assert "Rows from above: truncation 0.3, none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--interpolate-latents", "1"], "two or more seeds"),
        (["--interpolate-latents", "1,x"], "two or more seeds"),
        (["--truncation-sweep", "1,0"], "numbers above 0, or none"),
        (["--truncation-sweep", "1,x"], "numbers above 0, or none"),
        (["--interpolate-classes", "--nearest"], "not allowed with"),
        (["--frames", "0"], "must be an integer in [1, 10000]"),
    ],
)
def test_mistakes_in_the_modes(capsys, options, message):
    with pytest.raises(SystemExit):
        main(["sample", "dir", "-o", "x.png", *options])
    assert message in capsys.readouterr().err


def test_modes_that_do_not_go_together(tmp_path, capsys):
    server = ["--server", "http://localhost:1/v1/models/x"]
    output = ["-o", str(tmp_path / "x.gif")]
    assert main(["sample", *server, *output, "--interpolate-latents", "1,2"]) == 2
    assert "a server generates images from seeds" in capsys.readouterr().err
    sweep = ["--truncation-sweep", "1,none", "--truncation", "1"]
    assert main(["sample", "dir", *output, *sweep]) == 2
    assert "--truncation cannot be combined" in capsys.readouterr().err
    assert main(["sample", "dir", *output, "--nearest"]) == 2
    assert "-o must be a .png" in capsys.readouterr().err


def test_no_model_there(tmp_path, capsys):
    assert main(["sample", str(tmp_path), "-o", f"{tmp_path}/x.png"]) == 2
    assert "no trained model" in capsys.readouterr().err


def test_number_of_images_is_positive(capsys):
    with pytest.raises(SystemExit):
        main(["sample", "dir", "-o", "x.png", "--num-images", "0"])
    assert "must be an integer in [1, 10000]" in capsys.readouterr().err
