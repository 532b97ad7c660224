import numpy as np
import pytest
from PIL import Image

from keras_sagan.cli.main import main
from keras_sagan.training.run_directory import load_trained
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


def test_every_class_by_default(run_directory, tmp_path):
    pixels = sample(run_directory / "model", tmp_path / "grid.png")
    assert pixels.shape == (2 * 34 + 2, 8 * 34 + 2, 3)


def test_an_unknown_class(run_directory, tmp_path, capsys):
    output = tmp_path / "grid.png"
    options = ["-o", str(output), "--labels", "green"]
    assert main(["sample", str(run_directory), *options]) == 2
    assert "'green'" in capsys.readouterr().err
    assert not output.exists()


def test_output_must_be_png(capsys):
    with pytest.raises(SystemExit):
        main(["sample", "dir", "-o", "grid.gif"])
    assert "must end in .png. Received: grid.gif" in capsys.readouterr().err


def test_no_model_there(tmp_path, capsys):
    assert main(["sample", str(tmp_path), "-o", "x.png"]) == 2
    assert "no trained model" in capsys.readouterr().err


def test_number_of_images_is_positive(capsys):
    with pytest.raises(SystemExit):
        main(["sample", "dir", "-o", "x.png", "--num-images", "0"])
    assert "must be at least 1" in capsys.readouterr().err
