"""The command that a message names is one that pip takes."""

import configparser
import importlib.metadata
import shlex

import pytest
from packaging.requirements import Requirement

from keras_sagan.extras import MissingExtraError, install_command
from tests.helpers import ROOT


def wanted(extra):
    """What `setup.cfg` says of an extra."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options.extras_require"][extra].splitlines()
    return {Requirement(x) for x in lines if x}


@pytest.mark.parametrize(
    "extra", ["beam", "explorer", "litert", "oci", "onnx", "serving"]
)
def test_it_names_the_packages_of_the_extra(extra):
    program, command, *packages = shlex.split(install_command(extra))
    assert (program, command) == ("pip", "install")
    assert set(map(Requirement, packages)) == wanted(extra)


def test_where_nothing_is_known_of_the_extra(monkeypatch):
    text = "pip install '.[none]' in a clone of the repository of keras_sagan"
    assert install_command("none") == text

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", missing)
    assert install_command("onnx") == text.replace("none", "onnx")


def test_the_error():
    error = MissingExtraError("A client (no grpc)", "serving")
    assert isinstance(error, ImportError) and error.extra == "serving"
    text = f"A client (no grpc) needs more packages: {install_command('serving')}"
    assert str(error) == text


def test_no_other_module_says_how_to_install():
    found = {
        path.name
        for path in (ROOT / "keras_sagan").rglob("*.py")
        if "pip install" in path.read_text(encoding="utf-8")
    }
    assert found == {"extras.py"}
