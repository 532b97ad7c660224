import json

import pytest
from PIL import Image

from keras_sagan.cli.main import main


def test_report_as_text(picture_folder, capsys):
    assert main(["data", "check", f"folder:{picture_folder}"]) == 0
    text = capsys.readouterr().out
    assert "classes   2" in text and "problems  none" in text


def test_report_as_json(picture_folder, capsys):
    options = ["--json", "--image-size", "64", "--channels", "1"]
    assert main(["data", "check", f"folder:{picture_folder}", *options]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["class_counts"] == {"blue": 8, "red": 8}
    assert (report["image_size"], report["channels"]) == (64, 1)
    assert report["num_enlarged"] == 16


def test_problems_are_status_1(tmp_path, capsys):
    (tmp_path / "only").mkdir()
    Image.new("RGB", (32, 32)).save(tmp_path / "only" / "a.png")
    assert main(["data", "check", f"folder:{tmp_path}"]) == 1
    assert "same class 'only'" in capsys.readouterr().out


@pytest.mark.parametrize("source", ["nothing", "folder:/no/such/place"])
def test_what_cannot_be_opened_is_status_2(source, capsys):
    assert main(["data", "check", source]) == 2
    assert "keras-sagan: error: " in capsys.readouterr().err
