"""The shell scripts: what can be checked without making an environment."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
SCRIPTS = [ROOT / name for name in ("scripts/demo", "scripts/test", ".ci/run")]


@pytest.fixture
def clone(tmp_path):
    """A checkout elsewhere, with scripts and metadata only."""
    target = tmp_path / "clone"
    shutil.copytree(ROOT / "scripts", target / "scripts")
    for name in ("setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, target)
    return target


@pytest.fixture
def tools(tmp_path):
    """A PATH with what the scripts call, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "cat", "cksum", "dirname"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def run_script(script, tools, cwd):
    environment = {**os.environ, "PATH": str(tools)}
    environment.pop("PYTHON", None)
    return subprocess.run(
        [tools / "bash", script],
        env=environment,
        cwd=cwd,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_can_be_run_and_parsed(script):
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize("name", ["demo", "test"])
def test_without_python_the_message_says_so(clone, tools, tmp_path, name):
    done = run_script(clone / "scripts" / name, tools, cwd=tmp_path)
    assert done.returncode == 1
    assert "no Python 3.11, 3.12 or 3.13 found" in done.stderr
    assert not (clone / ".venv").exists()


def test_a_python_without_ensurepip_is_named(clone, tools, tmp_path):
    stub = tools / "python3"
    stub.write_text(
        '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n'
        f'exec {sys.executable} "$@"\n'
    )
    stub.chmod(0o755)
    done = run_script(clone / "scripts" / "test", tools, cwd=tmp_path)
    assert done.returncode == 1
    assert "python3 cannot make virtual environments" in done.stderr
    assert "apt-get install python3-venv" in done.stderr
