"""Paths as people write them, wherever one is given."""

import pathlib

import keras
import numpy as np
import pytest

import keras_sagan as ks
from keras_sagan import callbacks, interop, metrics, visualize
from keras_sagan.files import paths
from keras_sagan.metrics.extractors import naming
from keras_sagan.runs import loading
from tests import helpers

ADDRESSES = ["gs://bucket/run", "s3://b/x", "hdfs://h/x", "https://h/x", "file:///x"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home directory, and a working directory in which nothing may appear."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(elsewhere)
    yield home
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_are_refused(address):
    for path in (address, pathlib.PurePosixPath(address)):
        with pytest.raises(ValueError, match=r"is not a path on this machine"):
            paths.local(path)


@pytest.mark.parametrize(
    "path", ["runs/{a}", "a:b", "C:/x", "10:30:/x", "$HOME/x", "a/~/b", "http:x"]
)
def test_other_names_are_left_as_they_are(path):
    assert str(paths.local(path)) == path
    assert paths.local(pathlib.Path(path)) == pathlib.Path(path)


def test_home_directories(home):
    assert paths.local("~/runs/a") == home / "runs" / "a"
    assert paths.local(pathlib.Path("~")) == home
    with pytest.raises(ValueError, match="'~nobody_of_this_name/x' cannot be found"):
        paths.local("~nobody_of_this_name/x")


def test_an_empty_name():
    with pytest.raises(ValueError, match="must not be empty"):
        paths.local("")


# === Python: each writes or reads one path ===
def model():
    gan = helpers.tiny_gan(attention=False)
    gan.compile()
    return gan


@pytest.mark.slow
def test_a_model_is_written_and_read_in_the_home_directory(home):
    gan = model()
    gan.save_to_preset("~/preset")
    gan.save("~/gan.keras")
    gan.export("~/exported/1")
    written = {path.name for path in home.iterdir()}
    assert written == {"preset", "gan.keras", "exported"}
    ks.SAGAN.from_preset("~/preset")
    for name in ("preset", "gan.keras", "exported"):
        loading.open_model(f"~/{name}")
    keras.saving.load_model(home / "gan.keras")


def test_functions_refuse_addresses(home):
    gan, address = model(), "gs://bucket/x"
    for call in (
        gan.save_to_preset,
        gan.export,
        ks.SAGAN.from_preset,
        loading.open_model,
        interop.load_studiogan,
        interop.load_tf1_checkpoint,
        metrics.Moments.load,
        callbacks.TensorBoardScalars,
        lambda x: callbacks.SampleGrid(f"{x}/{{step}}.png", 1, None, [0], 1),
        lambda x: callbacks.MetricsLog(x, 1),
        lambda x: ks.data.load(f"folder:{x}", image_size=32, batch_size=1),
        lambda x: ks.data.load(f"npz:{x}", image_size=32, batch_size=1),
        lambda x: ks.data.load(f"tfds:{x}", image_size=32, batch_size=1),
        lambda x: ks.data.load("tfds:mnist", 32, 1, cache_dir=x),
        lambda x: naming.parse(f"keras:{x}.keras"),
        lambda x: visualize.save_grid(f"{x}.png", np.zeros((1, 8, 8, 3), "uint8"), 1),
    ):
        with pytest.raises(ValueError, match="not a path on this machine"):
            call(address)
