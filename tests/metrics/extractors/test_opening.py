"""Extractors by their names on the command line; on several replicas as on one."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import metrics
from keras_sagan.metrics import extract
from keras_sagan.metrics.extractors import opening
from keras_sagan.metrics.extractors.opening import spread_extractor
from tests import helpers
from tests.training import equivalence


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


@pytest.mark.parametrize("name", ["fid", "keras:", "applications:X"])
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


def test_weights_of_keras_applications_that_cannot_be_downloaded(monkeypatch, tmp_path):
    def build(**options):  # as Keras does, from a port where nothing answers
        keras.utils.get_file("x.h5", "http://127.0.0.1:9/x.h5", cache_dir=tmp_path)

    monkeypatch.setattr(keras.applications, "MobileNetV2", build)
    with pytest.raises(RuntimeError, match="of applications:MobileNetV2 could not be"):
        opening.open_extractor("applications:MobileNetV2", None, "clean", None, unused)


IMAGES, _ = helpers.images_and_labels(23)


def opened(strategy, features="features"):
    """An extractor of random weights, the same in every call."""
    with strategy.scope():
        keras.utils.set_random_seed(3)
        network = keras.Sequential(
            [
                keras.Input((16, 16, 3)),
                keras.layers.Rescaling(1 / 255),
                keras.layers.Conv2D(4, 3, strides=2, name="features"),
                keras.layers.BatchNormalization(),
                keras.layers.Flatten(),
                keras.layers.Dense(3),
            ]
        )
        return metrics.keras_extractor(network, "small", features)


@pytest.fixture(scope="module")
def alone():
    """Features and logits of one replica."""
    return metrics.extract(IMAGES, opened(tf.distribute.get_strategy()))


@pytest.mark.distributed
@pytest.mark.parametrize(("replicas", "count", "batch"), [(2, 23, 8), (3, 7, 64)])
def test_features_and_logits_are_those_of_one(alone, replicas, count, batch):
    strategy = equivalence.mirrored(replicas)
    plain, busy = opened(strategy), set()

    def watched(images):
        busy.add(tf.identity(images).device)
        return plain.function(images)

    spread = spread_extractor(dataclasses.replace(plain, function=watched), strategy)
    assert spread.describe() == plain.describe()
    found = metrics.extract(IMAGES[:count], spread, batch)
    assert len(busy) == replicas
    for actual, expected in zip(found, alone, strict=True):
        assert actual.shape == expected[:count].shape
        np.testing.assert_allclose(actual, expected[:count], rtol=1e-6, atol=1e-6)


@pytest.mark.distributed
def test_an_extractor_without_logits(alone):
    strategy = equivalence.mirrored(2)
    spread = spread_extractor(opened(strategy, features=None), strategy)
    features, logits = metrics.extract(IMAGES[:3], spread)
    np.testing.assert_allclose(features, alone[1][:3], rtol=1e-6, atol=1e-6)
    assert logits is None


def test_on_one_replica_nothing_changes():
    extractor = opened(tf.distribute.get_strategy())
    assert spread_extractor(extractor, tf.distribute.get_strategy()) is extractor
