import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_sagan.cli.main import main
from keras_sagan.data.preparing import beam


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


def test_files_are_checked_without_tensorflow(picture_folder, tmp_path, monkeypatch):
    """It takes longer to start than most folders take to read."""
    np.savez(tmp_path / "x.npz", images=np.zeros((4, 8, 8, 3), np.uint8))
    sheet = tmp_path / "sheet.png"
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)  # as a person has it
    program = (
        "import sys\n"
        "from keras_sagan.cli.main import main\n"
        f"assert main(['data', 'check', 'folder:{picture_folder}', "
        f"'--contact-sheet', '{sheet}']) == 0\n"
        f"assert main(['data', 'check', 'npz:{tmp_path}/x.npz']) == 1\n"
        "heavy = {'tensorflow', 'keras', 'tensorflow_datasets'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL
    )
    assert sheet.is_file()


def test_problems_are_status_1(tmp_path, capsys):
    (tmp_path / "only").mkdir()
    Image.new("RGB", (32, 32)).save(tmp_path / "only" / "a.png")
    assert main(["data", "check", f"folder:{tmp_path}"]) == 1
    assert "same class 'only'" in capsys.readouterr().out


@pytest.mark.parametrize("source", ["nothing", "folder:/no/such/place"])
def test_what_cannot_be_opened_is_status_2(source, capsys):
    assert main(["data", "check", source]) == 2
    assert "keras-sagan: error: " in capsys.readouterr().err


def test_a_contact_sheet_that_cannot_be_written_is_known_first(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    sheet = ["--contact-sheet", str(tmp_path / "file" / "sheet.png")]
    assert main(["data", "check", "folder:/no/such/place", *sheet]) == 2
    assert "is not a folder that can be written to" in capsys.readouterr().err


def test_contact_sheet(picture_folder, tmp_path, capsys):
    sheet = tmp_path / "new" / "sheet.png"
    options = ["--contact-sheet", str(sheet)]
    assert main(["data", "check", f"folder:{picture_folder}", *options]) == 0
    with Image.open(sheet) as image:
        assert image.size == (8 * 34 + 2, 2 * 34 + 2)


@pytest.mark.slow
def test_prepare_and_train_on_it(picture_folder, tmp_path, capsys):
    """Ten broken files among sixteen sound ones: named, left out, trained without."""
    source = tmp_path / "source"
    shutil.copytree(picture_folder, source)
    for i in range(21):
        (source / "red" / f"bad{i:02}.png").write_text("x")
    output = tmp_path / "prepared"
    assert main(["data", "prepare", f"folder:{source}", "-o", str(output)]) == 0
    text = capsys.readouterr().out
    assert text.count("left out: cannot read picture") == 20
    assert "and 1 more" in text
    assert "Prepared 16 pictures in 1 files, left out 21." in text
    options = "--steps 1 --batch-size 4 --set model.base_filters=4".split()
    options += ["--dtype-policy", "float32", "-o", str(tmp_path / "run")]
    options += ["--augment", "diffaugment", "--mirror", "true"]
    options += ["--real-labels", "balanced", "--fake-labels", "natural"]
    options += ["--loss", "hinge"]
    assert main(["train", "--dataset", f"tfds:{output}", *options]) == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["augmentation"]["policy"] == "diffaugment"
    assert config["augmentation"]["mirror"] is True
    assert config["data"]["real_labels"] == "balanced"


def test_strict(picture_folder, tmp_path, capsys):
    source = tmp_path / "source"
    shutil.copytree(picture_folder, source)
    (source / "red" / "bad.png").write_text("x")
    options = ["-o", str(tmp_path / "out"), "--strict"]
    assert main(["data", "prepare", f"folder:{source}", *options]) == 2
    assert "bad.png" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("what", ["check", "prepare"])
def test_wrong_values_are_status_2(what, picture_folder, tmp_path, capsys):
    options = ["-o", str(tmp_path / "out")] if what == "prepare" else []
    arguments = ["data", what, f"folder:{picture_folder}", *options, "--fit", "stretch"]
    assert main(arguments) == 2
    assert "fit='stretch'" in capsys.readouterr().err


def test_beam_and_its_options(tmp_path, capsys, monkeypatch):
    command = ["data", "prepare", f"folder:{tmp_path}", "-o", str(tmp_path / "out")]
    assert main([*command, "--beam-option", "direct_num_workers=2"]) == 2
    assert "--beam-option goes with --beam only" in capsys.readouterr().err
    given = []
    monkeypatch.setattr(beam, "open_pipeline", given.append)
    options = ["--beam", "DirectRunner", "--beam-option", "streaming", "--beam-option"]
    assert main([*command, *options, "direct_num_workers=2"]) == 2
    assert "no pictures" in capsys.readouterr().err
    chosen = {"runner": "DirectRunner", "streaming": True, "direct_num_workers": "2"}
    assert given == [chosen]
