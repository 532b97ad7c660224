"""Models on Hugging Face's Hub: the real client, a Hub on this machine."""

import json
import pathlib

import keras
import numpy as np
import pytest
from huggingface_hub import constants

import keras_sagan
from keras_sagan import SAGAN
from keras_sagan.hub import addresses, clients
from keras_sagan.training.saving import FILES
from tests import helpers
from tests.hub.hugging_face_server import TOKEN

# Of `huggingface_hub`'s own upload by Git LFS.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=")
NAME = "hf://me/cats"
READ = """
import sys
import numpy as np
from keras_sagan import SAGAN
np.save(sys.argv[1], SAGAN.from_preset("hf://me/cats").generate([0, 1, 2], seed=4))
"""


def put(hub, directory, **changed):
    """Commits a preset as the Hub would have it, some files changed or left out."""
    files = {x.name: x.read_bytes() for x in directory.iterdir()}
    files |= {name.replace("__", "."): text for name, text in changed.items()}
    hub.put("me/cats", {x: y for x, y in files.items() if y is not None})


def fetched(hub):
    """Names of the files that were fetched."""
    gets = [x for x in hub.requests if x.startswith("GET") and "/resolve/" in x]
    return [x.rpartition("/")[2] for x in gets]


def assert_same(loaded, gan):
    """Every weight is the same, those of the averages too."""
    helpers.assert_equal(
        helpers.values(loaded.variables), helpers.values(gan.variables)
    )


def leave_the_network(monkeypatch):
    """From now on nobody listens where the Hub is."""
    url = "http://127.0.0.1:9"
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def test_there_and_back_in_another_process(hub, preset, tmp_path, monkeypatch):
    gan, directory = preset
    keras_sagan.upload_preset(NAME, directory)
    [files] = hub.commits["me/cats"]
    assert set(files) == set(FILES)  # and not the user's own
    for name in FILES:
        assert files[name] == (directory / name).read_bytes()
    assert any(x.startswith("PUT /lfs/") for x in hub.requests)  # the large one
    for name, value in [
        ("HF_ENDPOINT", hub.url),
        ("HF_HOME", str(tmp_path / "home")),
        ("HF_HUB_DISABLE_XET", "1"),
    ]:
        monkeypatch.setenv(name, value)
    hub.requests.clear()
    helpers.run_python(READ, tmp_path / "pixels.npy")
    assert sorted(fetched(hub)) == ["config.json", "model.weights.h5"]
    expected = gan.generate([0, 1, 2], seed=4)
    np.testing.assert_array_equal(np.load(tmp_path / "pixels.npy"), expected)


@pytest.mark.slow
def test_a_second_upload_is_a_new_version(hub, preset):
    gan, directory = preset
    keras_sagan.upload_preset(NAME, directory)
    (first, _) = hub.find("me/cats", "main")
    put(hub, directory, **{"config__json": b"{}"})
    with pytest.raises(ValueError, match=f"'{NAME}' cannot be used"):
        SAGAN.from_preset(NAME)
    keras_sagan.upload_preset(NAME, directory)
    assert len(hub.commits["me/cats"]) == 3
    loaded = SAGAN.from_preset(NAME)
    assert_same(loaded, gan)
    assert SAGAN.from_preset(f"{NAME}@{first}", load_weights=False).step == 0


def fetch_both():
    """Paths of the two files that `from_preset` reads."""
    config, address = clients.fetch(addresses.parse(NAME), "config.json", 1 << 20)
    weights, _ = clients.fetch(address, "model.weights.h5")
    return config, weights


def test_the_cache(hub, preset, monkeypatch):
    """What was fetched is not fetched again, nor needs a network."""
    put(hub, preset[1])
    first = fetch_both()
    assert sorted(fetched(hub)) == ["config.json", "model.weights.h5"]
    cache = pathlib.Path(constants.HF_HUB_CACHE, "models--me--cats")
    assert all(path.is_relative_to(cache) for path in first)
    hub.requests.clear()
    assert fetch_both() == first
    assert fetched(hub) == []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.requests.clear()
    assert fetch_both() == first
    assert hub.requests == []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    leave_the_network(monkeypatch)
    assert fetch_both() == first


@pytest.mark.slow
def test_both_files_are_of_one_version(hub, preset, monkeypatch):
    """A version that appears between them is not mixed in."""
    from keras_sagan.hub import hugging_face

    put(hub, preset[1])
    fetch = hugging_face.fetch

    def fetch_and_change(address, file, largest=None):
        path = fetch(address, file, largest)
        if file == "config.json":
            put(hub, preset[1], model__weights__h5=b"other")
        return path

    monkeypatch.setattr(hugging_face, "fetch", fetch_and_change)
    loaded = SAGAN.from_preset(NAME)
    assert_same(loaded, preset[0])


@pytest.mark.slow
def test_keras_reads_it_too(hub, preset):
    """`library_name: keras` of the card: what the Hub tells people to type works."""
    put(hub, preset[1])
    loaded = keras.saving.load_model(NAME)
    assert_same(loaded, preset[0])


def crafted(preset):
    """A configuration that names an object which runs code when it is made."""
    config = json.loads((preset[1] / "config.json").read_text())
    config["config"]["generator"] = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"function": "__import__('os').mkdir('owned')"},
        "registered_name": None,
    }
    return json.dumps(config).encode()


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        (None, FileNotFoundError, "There is no model 'hf://me/cats' at http://127"),
        (
            {"config__json": None},
            FileNotFoundError,
            "has no config.json, so it is not a",
        ),
        ({"config__json": b"{"}, ValueError, "'hf://me/cats' cannot be used.*not JSON"),
        (
            {"config__json": b'{"model_type": "bert"}'},
            ValueError,
            "'hf://me/cats' cannot be used: It must describe a SAGAN",
        ),
        (
            {"config__json": crafted},
            ValueError,
            "'hf://me/cats' cannot be used.*may name .* only.*'Lambda'",
        ),
        (
            {"config__json": b" " * (1 << 20) + b"{}"},
            ValueError,
            "config.json of 'hf://me/cats' must have at most 1048576 bytes",
        ),
        ({"model__weights__h5": None}, FileNotFoundError, "has no model.weights.h5"),
        (
            {"model__weights__h5": b"x"},
            ValueError,
            "hf://me/cats.*not a file of weights",
        ),
    ],
)
def test_bad_models(hub, preset, tmp_path, monkeypatch, files, error, message):
    monkeypatch.chdir(tmp_path)
    if files is not None:
        made = {x: y(preset) if callable(y) else y for x, y in files.items()}
        put(hub, preset[1], **made)
    with pytest.raises(error, match=message):
        SAGAN.from_preset(NAME)
    assert not pathlib.Path("owned").exists()
    if not files or "config__json" in files:  # nothing large was fetched in vain
        assert "model.weights.h5" not in fetched(hub)


def test_versions_that_are_not_there(hub, preset):
    put(hub, preset[1])
    with pytest.raises(FileNotFoundError, match="no such version of 'hf://me/cats@v9'"):
        SAGAN.from_preset(f"{NAME}@v9")


def test_gated_models(hub, preset):
    put(hub, preset[1])
    hub.gated.add("me/cats")
    with pytest.raises(PermissionError, match="'hf://me/cats' is gated: accept its"):
        SAGAN.from_preset(NAME)


def test_no_network(hub, preset, monkeypatch):
    leave_the_network(monkeypatch)
    with pytest.raises(
        ConnectionError, match=r"'hf://me/cats' .*\(no network\).*cache"
    ):
        SAGAN.from_preset(NAME)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConnectionError, match=r"\(HF_HUB_OFFLINE is set\).*the cache"):
        SAGAN.from_preset(NAME)


@pytest.mark.slow  # the client tries several times, with pauses
def test_an_upload_without_a_network(hub, preset, monkeypatch):
    leave_the_network(monkeypatch)
    with pytest.raises(OSError, match=r"'hf://me/cats' at http://127\.0\.0\.1:9"):
        keras_sagan.upload_preset(NAME, preset[1])


def test_nobody_uploads_without_a_token(hub, preset, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN + "?")
    with pytest.raises(PermissionError, match="log in with `hf auth login`"):
        keras_sagan.upload_preset(NAME, preset[1])
    assert hub.commits == {}


@pytest.mark.parametrize(
    ("uri", "change", "error", "message"),
    [
        ("cats", None, ValueError, "must be hf://USER/NAME"),
        (f"{NAME}@v1", None, ValueError, "must not name a version.*hf://me/cats@v1"),
        (NAME, "config.json", FileNotFoundError, "without config.json"),
        (NAME, "model.weights.h5", FileNotFoundError, "without model.weights.h5"),
        (NAME, {"config.json": "{}"}, ValueError, "It must describe a SAGAN"),
    ],
)
def test_bad_uploads(hub, preset, tmp_path, uri, change, error, message):
    directory = tmp_path / "preset"
    directory.mkdir()
    for path in preset[1].iterdir():
        if path.name != change:
            text = (change or {}).get(path.name) if isinstance(change, dict) else None
            content = text.encode() if text else path.read_bytes()
            (directory / path.name).write_bytes(content)
    with pytest.raises(error, match=message):
        keras_sagan.upload_preset(uri, directory)
    assert hub.requests == []
