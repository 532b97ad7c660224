"""What a release needs: files that agree with each other and with their schemas."""

import configparser
import subprocess
import sys

import pytest
import yaml

import keras_sagan
from tests.helpers import ROOT


def valid(schema, *paths):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run(
        [*command, *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.citation-file-format", ["CITATION.cff"]),
        (
            "vendor.github-workflows",
            [".github/workflows/ci.yml", ".github/workflows/release.yml"],
        ),
    ],
)
def test_files_fit_their_schemas(schema, files):
    valid(schema, *(ROOT / name for name in files))


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == keras_sagan.__version__
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert citation["license"] == config["metadata"]["license"]


def test_only_the_publishing_job_may_ask_for_an_identity():
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    build, publish = (workflow["jobs"][name] for name in ("build", "publish"))
    assert "permissions" not in build
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["environment"] == "pypi" and publish["needs"] == "build"


def test_the_image_gets_what_the_installation_needs():
    """Whatever `setup.cfg` and `pyproject.toml` name is let into the build."""
    allowed = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    assert all((ROOT / name).exists() for name in allowed)
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    needed = {
        config["metadata"]["long_description"].removeprefix("file: "),
        *config["metadata"]["license_files"].split(),
        "setup.cfg",
        "pyproject.toml",
        "keras_sagan",
    }
    inside = {name for name in needed if name.startswith("keras_sagan/")}
    assert needed - inside == set(allowed)


def test_extras_are_named_where_they_are_explained():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    text = (ROOT / "docs" / "how-to" / "install.md").read_text()
    for extra in set(config["options.extras_require"]) - {"test", "dev"}:
        assert f"| `{extra}` |" in text
