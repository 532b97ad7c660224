"""What the clients of all hubs share."""

import sys

import pytest

from keras_sagan.extras import install_command
from keras_sagan.hub import addresses, clients


@pytest.mark.parametrize(
    ("name", "package"),
    [("hf://me/cats", "huggingface_hub"), ("kaggle://a/b/keras/c", "kagglehub")],
)
def test_a_package_that_is_missing(name, package, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, package, None)
    address = addresses.parse(name)
    with pytest.raises(ImportError, match=f"^'{name}' .*{package}") as caught:
        clients.fetch(address, "config.json")
    assert str(caught.value).endswith(install_command("hub"))
    with pytest.raises(ImportError, match=package):
        clients.upload(address, tmp_path, [])


def test_an_upload_names_no_version(tmp_path):
    with pytest.raises(ValueError, match=r"must not name a version.*'hf://me/cats@v1'"):
        clients.upload(addresses.parse("hf://me/cats@v1"), tmp_path, [])
