"""Extractors by their names on the command line."""

import keras
import numpy as np
import pytest

from keras_sagan.metrics import extract
from keras_sagan.metrics.extractors import opening


def unused():
    raise AssertionError("no training data are needed")


def test_a_keras_model(tmp_path):
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(4)]
    )
    model.save(tmp_path / "mine.keras")
    extractor = opening.open_extractor(
        f"keras:{tmp_path / 'mine.keras'}", None, "clean", None, unused
    )
    assert extractor.name == "mine"
    x = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    np.testing.assert_allclose(
        extract(x, extractor)[0], model.predict(x.astype("f4"), verbose=0), rtol=1e-4
    )


def test_the_fid_network(tmp_path):
    with pytest.raises(FileNotFoundError):
        opening.open_extractor("inception", tmp_path / "w.pth", "clean", None, unused)


@pytest.mark.parametrize("name", ["fid", "keras:", "applications:", "applications:x"])
def test_unknown_extractors(name):
    with pytest.raises(ValueError, match=r"`extractor` .*must be"):
        opening.open_extractor(name, None, "clean", None, unused)


def test_networks_of_keras_applications(monkeypatch):
    """The real network and preprocessing; only its weights are not downloaded."""
    build = keras.applications.MobileNetV2

    def untrained(**options):
        return build(weights=None, **options)

    monkeypatch.setattr(keras.applications, "MobileNetV2", untrained)
    monkeypatch.setattr(keras.applications.mobilenet_v2, "MobileNetV2", untrained)
    extractor = opening.open_extractor(
        "applications:MobileNetV2", None, "clean", None, unused
    )
    x = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1), dtype=np.uint8)
    assert extract(x, extractor)[0].shape == (2, 1280)
    assert extractor.preprocessing == "mobilenet_v2"
