import os
import subprocess
import sys

import pytest

import keras_sagan
from keras_sagan.cli import main as cli
from keras_sagan.cli.errors import UserError
from tests import helpers


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


# === Standard output that cannot be written ===


def presets(redirections):
    """Status and standard error of a real `keras-sagan presets`."""
    done = subprocess.run(
        f'"{sys.executable}" -m keras_sagan presets {redirections}',
        shell=True,
        executable="/bin/bash",
        env={**os.environ, "PYTHONPATH": str(helpers.ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_nobody_reads_to_the_end(reader):
    assert presets(f"| {reader}; exit ${{PIPESTATUS[0]}}") == (0, "")


def test_standard_output_is_full():
    status, printed = presets(">/dev/full")
    assert status == 1
    assert printed.startswith("keras-sagan: standard output: [Errno 28] No space left")
    assert len(printed.splitlines()) == 1


def test_no_standard_output_at_all():
    assert presets("<&- >&- 2>&-") == (0, "")
