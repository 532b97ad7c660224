"""The shell scripts: what can be checked without making an environment."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
NAMES = ("demo", "docs", "launch_local", "test")
SCRIPTS = [*(ROOT / "scripts" / name for name in NAMES), ROOT / ".ci" / "run"]


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


@pytest.mark.parametrize("name", ["demo", "docs", "test"])
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


@pytest.mark.parametrize("arguments", [(), ("0",), ("two",), ("-1",)])
def test_launch_local_wants_a_number(arguments):
    script = ROOT / "scripts" / "launch_local"
    done = subprocess.run(
        ["bash", script, *arguments], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "usage: scripts/launch_local N" in done.stderr


@pytest.mark.distributed
def test_launch_local_gives_every_worker_its_place(tmp_path):
    python = tmp_path / "python"  # stands for one with the package
    python.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = - ]; then exec {sys.executable} "$@"; fi\n'
        'echo "$@"\ncase "$*" in *"--index 1"*) exit 7;; esac\n'
    )
    python.chmod(0o755)
    output = tmp_path / "run"
    done = subprocess.run(
        [ROOT / "scripts" / "launch_local", "2", "--output", output],
        env={**os.environ, "KERAS_SAGAN_PYTHON": str(python)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 7
    other = (tmp_path / "run.worker-1.log").read_text()
    for index, text in enumerate((done.stdout, other)):
        assert text.startswith(f"-m keras_sagan train --output {output} --strategy mul")
        assert text.endswith(f"--index {index}\n")
        assert text.count("127.0.0.1:") == 2
    assert done.stdout.split("--workers")[1].split()[0] in other
