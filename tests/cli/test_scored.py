"""Models and extractors by their names on the command line."""

import numpy as np
import pytest

from keras_sagan.cli import scored
from keras_sagan.metrics import extract


def unused():
    raise AssertionError("no training data are needed")


def test_a_run_and_a_folder(run_directory, picture_folder):
    run = scored.open_scored(str(run_directory), None, None)
    assert (run.image_size, run.channels, run.count) == (32, 3, None)
    assert tuple(run.class_names) == ("blue", "red")
    assert run.images(3, 0, None, None).count == 3
    folder = scored.open_scored(f"folder:{picture_folder}", 16, None)
    assert (folder.image_size, folder.count) == (16, 16)
    assert folder.images(1000, 0, None, None).arrays().shape == (16, 16, 16, 3)
    with pytest.raises(ValueError, match="`truncation` is of a generator"):
        folder.images(3, 0, 0.5, None)


def test_a_split(tmp_path):
    split = scored.open_scored("split:test", 32, str(tmp_path), "glyphs")
    assert split.count > 0 and split.image_size == 32
    assert "test" in split.images(5, 0, None, None).description["model"]["path"]
    with pytest.raises(ValueError, match="is a split of --dataset"):
        scored.open_scored("split:test", 32, None)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no trained model"):
        scored.open_scored(str(tmp_path), None, None)


def test_a_keras_model(tmp_path):
    import keras

    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(4)]
    )
    model.save(tmp_path / "mine.keras")
    extractor = scored.open_extractor(
        f"keras:{tmp_path / 'mine.keras'}", None, "clean", None, unused
    )
    assert extractor.name == "mine"
    x = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    np.testing.assert_allclose(
        extract(x, extractor)[0], model.predict(x.astype("f4"), verbose=0), rtol=1e-4
    )


def test_the_fid_network(tmp_path):
    with pytest.raises(FileNotFoundError):
        scored.open_extractor("inception", tmp_path / "w.pth", "clean", None, unused)


@pytest.mark.parametrize("name", ["fid", "keras:", "applications:", "applications:x"])
def test_unknown_extractors(name):
    with pytest.raises(ValueError, match=r"`extractor` .*must be"):
        scored.open_extractor(name, None, "clean", None, unused)


def test_networks_of_keras_applications(monkeypatch):
    """The real network and preprocessing; only its weights are not downloaded."""
    import keras

    build = keras.applications.MobileNetV2

    def untrained(**options):
        return build(weights=None, **options)

    monkeypatch.setattr(keras.applications, "MobileNetV2", untrained)
    monkeypatch.setattr(keras.applications.mobilenet_v2, "MobileNetV2", untrained)
    extractor = scored.open_extractor(
        "applications:MobileNetV2", None, "clean", None, unused
    )
    x = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1), dtype=np.uint8)
    assert extract(x, extractor)[0].shape == (2, 1280)
    assert extractor.preprocessing == "mobilenet_v2"
