"""Models on Kaggle: the real client, a Kaggle on this machine."""

import kagglesdk.kaggle_env
import pytest
from kagglesdk.kaggle_env import KaggleEnv

import keras_sagan
from keras_sagan import SAGAN
from keras_sagan.hub import addresses, clients
from keras_sagan.training.saving import FILES
from tests import helpers
from tests.hub.kaggle_server import KaggleServer

NAME = "kaggle://me/sagan/keras/cats"


@pytest.fixture
def kaggle(tmp_path, monkeypatch):
    """A `KaggleServer` that `kagglehub` takes for Kaggle, an empty cache."""
    server = KaggleServer()
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "key")
    endpoints = kagglesdk.kaggle_env._env_to_endpoint
    monkeypatch.setitem(endpoints, KaggleEnv.LOCAL, server.url)
    yield server
    server.close()


def assert_same(loaded, gan):
    """Every weight is the same, those of the averages too."""
    helpers.assert_equal(
        helpers.values(loaded.variables), helpers.values(gan.variables)
    )


@pytest.mark.slow
def test_there_and_back(kaggle, preset):
    gan, directory = preset
    keras_sagan.upload_preset(NAME, directory)
    [files] = kaggle.versions["me/sagan/cats"]
    assert set(files) == set(FILES)  # and not the user's own
    for name in FILES:
        assert files[name] == (directory / name).read_bytes()
    keras_sagan.upload_preset(NAME, directory)
    assert len(kaggle.versions["me/sagan/cats"]) == 2
    kaggle.versions["me/sagan/cats"][0]["config.json"] = b"{}"
    loaded = SAGAN.from_preset(NAME)
    assert_same(loaded, gan)
    with pytest.raises(ValueError, match=f"'{NAME}/1' cannot be used: It must"):
        SAGAN.from_preset(f"{NAME}/1")


def test_the_cache_needs_no_network(kaggle, preset, monkeypatch):
    keras_sagan.upload_preset(NAME, preset[1])
    path, address = clients.fetch(addresses.parse(NAME), "config.json")
    assert str(address) == f"{NAME}/1"
    kaggle.requests.clear()
    assert clients.fetch(address, "config.json") == (path, address)
    assert kaggle.requests == []
    assert path.read_bytes() == (preset[1] / "config.json").read_bytes()


def test_no_such_model_and_no_network(kaggle, preset, monkeypatch):
    with pytest.raises(FileNotFoundError, match=f"has no config.json at '{NAME}'"):
        SAGAN.from_preset(NAME)
    endpoints = kagglesdk.kaggle_env._env_to_endpoint
    monkeypatch.setitem(endpoints, KaggleEnv.LOCAL, "http://127.0.0.1:9")
    with pytest.raises(ConnectionError, match=f"cannot be reached for '{NAME}/2'"):
        SAGAN.from_preset(f"{NAME}/2")
    with pytest.raises(ConnectionError, match=f"cannot be reached for '{NAME}'"):
        keras_sagan.upload_preset(NAME, preset[1])
