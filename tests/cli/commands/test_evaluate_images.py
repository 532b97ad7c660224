"""Models and images by their names on the command line."""

import json
import shutil

import pytest

from keras_sagan.cli.commands import evaluate_images
from tests.export.gans import exportable_gan


def test_a_run_and_a_folder(run_directory, picture_folder):
    run = evaluate_images.open_scored(str(run_directory), None, None)
    assert (run.image_size, run.channels, run.count) == (32, 3, None)
    generated = run.images(3, 0, None, None)
    assert (generated.count, generated.class_names) == (3, ("blue", "red"))
    folder = evaluate_images.open_scored(f"folder:{picture_folder}", 16, None)
    assert (folder.image_size, folder.count) == (16, 16)
    pictures = folder.images(1000, 0, None, None)
    assert pictures.arrays().shape == (16, 16, 16, 3)
    assert pictures.class_names == ("blue", "red")
    with pytest.raises(ValueError, match="`truncation` applies to generators"):
        folder.images(3, 0, 0.5, None)


@pytest.mark.slow
def test_a_split(tmp_path):
    split = evaluate_images.open_scored("split:test", 32, str(tmp_path), "glyphs")
    assert split.count > 0 and split.image_size == 32
    assert "test" in split.images(5, 0, None, None).description["model"]["path"]
    with pytest.raises(ValueError, match="is a split of a data set: pass --dataset"):
        evaluate_images.open_scored("split:test", 32, None)


def test_a_size_is_needed_where_nothing_has_one(picture_folder):
    with pytest.raises(ValueError, match="pass --image-size"):
        evaluate_images.open_scored(f"folder:{picture_folder}", None, None)


@pytest.mark.slow
def test_the_fit_is_that_of_the_run(run_directory, picture_folder, tmp_path):
    assert evaluate_images.open_scored(str(run_directory), None, None).fit == "crop"
    shutil.copytree(run_directory / "model", tmp_path / "model")
    config = json.loads((run_directory / "config.json").read_text())
    config["data"]["fit"] = "pad"
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert evaluate_images.open_scored(str(tmp_path), None, None).fit == "pad"
    folder = f"folder:{picture_folder}"
    read = evaluate_images.open_scored(folder, 16, None, fit="pad")
    assert read.images(1, 0, None, None).description["fit"] == read.fit == "pad"


@pytest.mark.slow
def test_exports_know_their_classes_or_are_told(tmp_path):
    for classes in (3, None):
        path = tmp_path / str(classes)
        exportable_gan(classes).export(str(path))
        found = evaluate_images.open_scored(str(path), None, None)
        assert (found.image_size, found.channels) == (32, 3)
        assert not found.needs_classes
        for given in (None, 3):  # a data set may have classes that the model has not
            labels = found.images(4, 0, None, given).labels
            assert (labels is None) == (classes is None)
    newest = evaluate_images.open_scored(str(tmp_path), None, None)
    assert newest.images(1, 0, None, None).description["model"]["path"].endswith("3")
    shutil.rmtree(tmp_path / "3" / "assets.extra")
    untold = evaluate_images.open_scored(str(tmp_path / "3"), None, None)
    assert untold.needs_classes
    assert list(untold.images(4, 0, None, 3).labels) == [0, 1, 2, 0]
    with pytest.raises(ValueError, match="pass --num-classes or --dataset"):
        untold.images(4, 0, None, None)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no trained model"):
        evaluate_images.open_scored(str(tmp_path), None, None)
