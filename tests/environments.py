"""Virtual environments with packages that do not go together with those of the tests.

They are made once and kept between runs.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

import pytest


def python_with(name, requirements, module, alone=None):
    """Returns the path of Python in an environment, or skips the test.

    Args:
        name: str. It is kept in `~/.cache/keras_sagan/NAME-env`, or where the
            environment variable `KERAS_SAGAN_NAME_ENV` says.
        requirements: iterable of str. Packages.
        module: str. Module whose import shows that it is complete.
        alone: str. Program that makes it, for an environment of nothing but these
            packages. By default, those of this environment can be imported too where
            they are not among them.
    """
    default = pathlib.Path.home() / ".cache" / "keras_sagan" / f"{name}-env"
    folder = os.environ.get(f"KERAS_SAGAN_{name.upper()}_ENV", default)
    folder = pathlib.Path(folder)
    python, mark = folder / "bin" / "python", folder / "complete"
    if mark.is_file():
        return python
    base = alone or sys.executable
    if shutil.which(base) is None:
        pytest.skip(f"the environment {name!r} needs {base}, which is not on PATH")
    _run(name, [base, "-m", "venv", "--clear", folder])
    if not alone:
        (packages,) = folder.glob("lib/python*/site-packages")
        (packages / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    _run(name, [python, "-m", "pip", "install", "--quiet", *requirements])
    _run(name, [python, "-c", f"import {module}"])
    mark.touch()
    return python


def _run(name, command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        pytest.skip(f"the environment {name!r} cannot be made here: {reason}")
