"""Models and images by their names on the command line."""

import pytest

from keras_sagan.cli import scored


def test_a_run_and_a_folder(run_directory, picture_folder):
    run = scored.open_scored(str(run_directory), None, None)
    assert (run.image_size, run.channels, run.count) == (32, 3, None)
    assert tuple(run.class_names) == ("blue", "red")
    assert run.images(3, 0, None, None).count == 3
    folder = scored.open_scored(f"folder:{picture_folder}", 16, None)
    assert (folder.image_size, folder.count) == (16, 16)
    assert folder.images(1000, 0, None, None).arrays().shape == (16, 16, 16, 3)
    with pytest.raises(ValueError, match="`truncation` is of a generator"):
        folder.images(3, 0, 0.5, None)


def test_a_split(tmp_path):
    split = scored.open_scored("split:test", 32, str(tmp_path), "glyphs")
    assert split.count > 0 and split.image_size == 32
    assert "test" in split.images(5, 0, None, None).description["model"]["path"]
    with pytest.raises(ValueError, match="is a split of --dataset"):
        scored.open_scored("split:test", 32, None)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no trained model"):
        scored.open_scored(str(tmp_path), None, None)
