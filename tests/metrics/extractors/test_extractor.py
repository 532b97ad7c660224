"""Extractors: batches, channels, names, fingerprints."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.metrics import Extractor, extract, keras_extractor
from keras_sagan.metrics.extractors import extractor as features


def test_batches_change_nothing(pictures, small_network):
    extractor = keras_extractor(small_network, "small", "features", resize_kind="clean")
    whole, logits = extract(pictures.images, extractor, batch_size=80)
    assert whole.shape == (80, 4) and logits.shape == (80, 3)
    parts = extract(pictures.images, extractor, batch_size=33)
    np.testing.assert_allclose(parts[0], whole, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(parts[1], logits, rtol=1e-4, atol=1e-4)


def test_features_are_those_of_the_layer(pictures, small_network):
    extractor = keras_extractor(
        small_network, "small", "features", lambda x: x / 255, "tensorflow1"
    )
    assert extractor.describe()["layer"] == "features"
    x = pictures.images[:4, ::2, ::2]  # TensorFlow 1's grid: every second pixel
    layer = keras.Model(small_network.inputs[0], small_network.layers[0].output)
    expected = np.mean(layer(x / 255.0), axis=(1, 2))
    found = extract(pictures.images[:4], extractor)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    unresized = extract(np.ascontiguousarray(x), extractor)[0]
    np.testing.assert_allclose(unresized, expected, rtol=1e-5, atol=1e-6)


def test_output_of_a_model_as_features(pictures, small_network):
    found, logits = extract(pictures.images, keras_extractor(small_network, "small"))
    assert found.shape == (80, 3) and logits is None


def test_grey_and_transparent_images():
    grey = np.array([[[[7]]]], np.uint8)
    assert features.with_channels(grey, 3).tolist() == [[[[7, 7, 7]]]]
    rgba = np.array([[[[0, 100, 200, 0], [0, 100, 200, 255], [0, 0, 0, 51]]]], np.uint8)
    assert features.with_channels(rgba, 3).tolist() == [
        [[[255, 255, 255], [0, 100, 200], [204, 204, 204]]]
    ]
    with pytest.raises(ValueError, match=r"takes images with 1 channels. Received: 3"):
        features.with_channels(np.zeros((1, 2, 2, 3), np.uint8), 1)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 8, 8, 3)),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((2, 8, 8, 2), np.uint8),
        np.zeros((0, 8, 8, 3), np.uint8),
    ],
)
def test_wrong_images(images, small_network):
    with pytest.raises(ValueError, match="`images` must"):
        extract(images, keras_extractor(small_network, "small"))


def test_only_the_published_weights_are_the_fid_network(small_network):
    from keras_sagan.metrics.extractors.inception_weights import SHA256

    def extractor(name, sha256):
        return Extractor(name, sha256, "tensorflow1", "none", None)

    assert extractor("inception", SHA256).is_fid_network
    assert not extractor("inception", "0" * 64).is_fid_network
    assert not extractor("classifier", SHA256).is_fid_network
    with pytest.raises(ValueError, match="must not begin with 'inception'"):
        keras_extractor(small_network, "inception_v3")


def test_the_fingerprint_is_of_the_weights(small_network):
    first = keras_extractor(small_network, "small")
    copy = keras.models.clone_model(small_network)
    copy.set_weights(small_network.get_weights())
    assert keras_extractor(copy, "small").sha256 == first.sha256
    weights = copy.get_weights()
    weights[1][0] += 1e-3
    copy.set_weights(weights)
    assert keras_extractor(copy, "small").sha256 != first.sha256
    assert first.describe() == {
        "name": "small",
        "sha256": first.sha256,
        "resize": "clean",
        "preprocessing": "none",
    }
    assert dataclasses.replace(first, name="x").describe()["name"] == "x"


def test_other_inputs_are_refused():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"one input of shape .*\(None, 4\)"):
        keras_extractor(model, "x")


def test_saved_models(tmp_path, pictures):
    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32)])
        def serve(self, x):
            return {"features": tf.reduce_mean(x, [1, 2]), "more": tf.reduce_max(x)}

    module = Module()
    tf.saved_model.save(module, str(tmp_path / "m"), {"serving_default": module.serve})
    extractor = features.saved_model_extractor(tmp_path / "m", "means")
    found, logits = extract(pictures.images, extractor, batch_size=50)
    np.testing.assert_allclose(found, pictures.images.mean((1, 2)), rtol=1e-5)
    assert logits is None
    assert len(extractor.sha256) == 64


@pytest.mark.parametrize("name", ["serving_default", "other"])
def test_saved_models_of_other_inputs(tmp_path, name):
    module = tf.Module()
    module.f = tf.function(
        lambda a, b: {"x": a + b},
        input_signature=[tf.TensorSpec((None,))] * 2,
        autograph=False,
    )
    tf.saved_model.save(module, str(tmp_path / "m"), {name: module.f})
    with pytest.raises(ValueError, match="'serving_default' with one input"):
        features.saved_model_extractor(tmp_path / "m", "x")
