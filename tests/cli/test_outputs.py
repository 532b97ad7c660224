"""What commands write: one rule for all of them."""

import argparse

import pytest

from keras_sagan.cli import outputs
from keras_sagan.cli.errors import UserError
from keras_sagan.cli.main import build_parser, main


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
    with pytest.raises(UserError, match=r"file' is not a folder"):
        outputs.check_writable(tmp_path / "file" / "x.json")
    with pytest.raises(UserError, match="is a directory"):
        outputs.check_writable(tmp_path)


def test_folders(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full" / "x").mkdir(parents=True)
    (tmp_path / "file").write_text("mine")
    for name in ("empty", "new", "a/b"):
        assert outputs.check_folder(tmp_path / name) == tmp_path / name
    for name in ("full", "file"):
        with pytest.raises(UserError, match="new or an empty folder"):
            outputs.check_folder(tmp_path / name)
    with pytest.raises(UserError, match=r"file' is not a folder"):
        outputs.check_folder(tmp_path / "file" / "x")
    assert not (tmp_path / "a").exists()


# === All commands ===
# Files: what to run, up to the name of the file, and its ending.
FILES = {
    ("sample", "output"): (["sample", "run", "-o"], ".png"),
    ("attention", "output"): (["attention", "run", "-o"], ".gif"),
    ("report", "output"): (["report", "run", "-o"], ".html"),
    ("export", "output"): (["export", "run", "--format", "onnx", "-o"], ".onnx"),
    ("evaluate", "json"): (["evaluate", "run", "--dataset", "glyphs", "--json"], ""),
    ("evaluate", "sweep_png"): (
        ["evaluate", "run", "--dataset=glyphs", "--truncation-sweep=1", "--sweep-png"],
        ".png",
    ),
    ("data check", "contact_sheet"): (
        ["data", "check", "glyphs", "--contact-sheet"],
        ".png",
    ),
}
# Directories that have to be new or empty. (Versions of `export` are always new.)
DIRECTORIES = {
    ("train", "output"): ["train", "--batch-size=4", "--dataset", "{data}", "-o"],
    ("data prepare", "output"): ["data", "prepare", "{data}", "-o"],
    ("import studiogan", "output"): ["import", "studiogan", "G.pth", "-o"],
    ("import mmgeneration", "output"): ["import", "mmgeneration", "G.pth", "-o"],
    ("import tf1", "output"): ["import", "tf1", "model.ckpt", "-o"],
}
# Paths that are read; `--reference-stats` and caches are written where they are not
# there, and never replaced.
INPUTS = {
    "config",
    "source",
    "path",
    "directory",
    "metrics",
    "scores",
    "against",
    "card",
    "cache_dir",
    "data.cache_dir",
    "inception",
    "discriminator",
    "reference_stats",
    "token_file",
    "weights",
}


def options_with_paths(parser, command=()):
    """`(command, destination)` of what takes a path, by what the help calls it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from options_with_paths(inner, (*command, name))
        elif any(x in str(action.metavar) for x in ("FILE", "DIR", "PATH", ".pth")):
            yield " ".join(command), action.dest


def test_every_option_with_a_path_is_known_here():
    known = {*FILES, *DIRECTORIES}
    found = set(options_with_paths(build_parser()))
    assert known <= found
    assert {name for _, name in found - known} <= INPUTS


@pytest.mark.parametrize("option", FILES, ids=" ".join)
def test_no_command_replaces_a_file(option, tmp_path, capsys):
    command, suffix = FILES[option]
    path = tmp_path / f"mine{suffix}"
    path.write_text("mine")
    assert main([*command, str(path)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert path.read_text() == "mine"


@pytest.mark.parametrize("option", DIRECTORIES, ids=" ".join)
def test_no_command_writes_to_a_directory_in_use(
    option, tmp_path, picture_folder, capsys
):
    (tmp_path / "mine").write_text("mine")
    data = f"folder:{picture_folder}"
    command = [word.format(data=data) for word in DIRECTORIES[option]]
    assert main([*command, str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
    assert [(x.name, x.read_text()) for x in tmp_path.iterdir()] == [("mine", "mine")]


def test_force_replaces_a_contact_sheet(tmp_path, picture_folder):
    path = tmp_path / "sheet.png"
    path.write_text("mine")
    sheet = ["--contact-sheet", str(path), "--force"]
    assert main(["data", "check", f"folder:{picture_folder}", *sheet]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
