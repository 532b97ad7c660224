import argparse

import pytest

from keras_sagan.cli import outputs
from keras_sagan.cli.errors import UserError


def parse(arguments, **settings):
    parser = argparse.ArgumentParser()
    outputs.add_output(parser, (".png", ".gif"), **settings)
    return parser.parse_args(arguments)


def test_a_new_file(tmp_path):
    assert outputs.check_output(parse(["-o", f"{tmp_path}/x.png"])).name == "x.png"
    assert parse([], default="y.gif").output == "y.gif"


def test_a_file_that_is_there(tmp_path):
    path = tmp_path / "x.GIF"
    path.write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        outputs.check_output(parse(["-o", str(path)]))
    assert outputs.check_output(parse(["-o", str(path), "--force"])) == path
    assert path.read_text() == "mine"


def test_wrong_names(tmp_path, capsys):
    for arguments in (["-o", "x.jpg"], []):
        with pytest.raises(SystemExit):
            parse(arguments)
    assert "must end in .png or .gif. Received: x.jpg" in capsys.readouterr().err
    (tmp_path / "x.png").mkdir()
    with pytest.raises(UserError, match="is a directory"):
        outputs.check_output(parse(["-o", f"{tmp_path}/x.png", "--force"]))


def test_folders_that_are_missing_are_made_later(tmp_path):
    path = tmp_path / "a" / "b" / "x.png"
    assert outputs.check_output(parse(["-o", str(path)])) == path
    assert not (tmp_path / "a").exists()


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match=r"file' is no folder"):
        outputs.check_writable(tmp_path / "file" / "x.json")
    with pytest.raises(UserError, match="is a directory"):
        outputs.check_writable(tmp_path)
