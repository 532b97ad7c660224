import pytest

import keras_sagan
from keras_sagan.cli import main as cli
from keras_sagan.cli.errors import UserError


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"keras-sagan {keras_sagan.__version__}\n"


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    text = capsys.readouterr().out
    for command in (
        "train",
        "sample",
        "attention",
        "report",
        "explore",
        "export",
        "data",
        "presets",
    ):
        assert f"\n    {command} " in text


@pytest.mark.parametrize("arguments", [[], ["fly"], ["data"], ["sample", "dir"]])
def test_usage_errors(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: keras-sagan" in capsys.readouterr().err


def test_mistakes_are_one_line_and_status_2(capsys):
    assert cli.main(["presets", "sagan_33"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("keras-sagan: error: ")
    assert "Did you mean 'sagan_32'" in captured.err
    assert len(captured.err.splitlines()) == 1


def test_traceback_on_request():
    with pytest.raises(UserError):
        cli.main(["--traceback", "presets", "sagan_33"])
