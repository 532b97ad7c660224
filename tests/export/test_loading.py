"""An opened export draws and attends as the `SAGAN` that it was made from."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.export.loading import ExportedModel
from keras_sagan.training import generation
from tests.helpers import assert_same_pixels


@pytest.fixture(scope="module")
def model(any_export):
    return ExportedModel(any_export)


def rows(gan, count):
    if gan.num_classes is None:
        return {"num_images": count}
    return {"labels": np.arange(count) % gan.num_classes}


def test_what_is_known(any_gan, model):
    generator = any_gan.generator
    for name in ("image_size", "channels", "latent_dim", "num_classes"):
        assert getattr(model, name) == getattr(generator, name), name
    assert model.conditional == (generator.num_classes is not None)
    assert model.class_names == any_gan.class_names
    assert model.layers == ["generator/attention_16"]
    assert model.name.endswith("/1")


def test_images_are_those_of_the_model(any_gan, model):
    asked = {**rows(any_gan, 5), "truncation": 0.8, "seed": [3, 1, 4, 1, 5]}
    images = model.generate(**asked, batch_size=2)
    assert images.dtype == np.uint8
    assert_same_pixels(images, any_gan.generate(**asked))


def test_maps_are_those_of_the_model(any_gan, model):
    maps = model.attention_maps(**rows(any_gan, 2), seed=7)
    expected = any_gan.attention_maps(**rows(any_gan, 2), seed=7)
    assert list(maps) == ["generator/attention_16"]
    name = "generator/attention_16"
    np.testing.assert_allclose(maps[name], expected[name], atol=1e-5)


def test_images_of_latents(any_gan, model):
    latents = sampling.latents(8, [3, 9, 2])
    labels = rows(any_gan, 3).get("labels")
    expected = generation.images(any_gan.ema_generator, latents, labels)
    assert_same_pixels(model.images(latents, labels, batch_size=2), expected)
    assert_same_pixels(model.view(latents, labels)[0], expected)


def test_labels_of_any_integer_type_and_by_name(conditional_gan, conditional_export):
    model = ExportedModel(conditional_export)
    expected = conditional_gan.generate(labels=[2, 0], seed=1)
    for labels in (np.array([2, 0]), np.array([2, 0], np.uint8), ["blue", "red"]):
        assert_same_pixels(model.generate(labels, seed=1), expected)
    assert_same_pixels(model.draw([1, 2], np.array([2, 0])), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "pass `labels`"),
        ({"labels": [3]}, r"integers in \[0, 3\)"),
        ({"labels": ["purple"]}, "'purple'"),
        ({"labels": [0], "truncation": -1}, "`truncation` must be"),
        ({"labels": [0], "batch_size": 0}, "`batch_size` must be"),
    ],
)
def test_wrong_arguments(conditional_export, arguments, message):
    with pytest.raises(ValueError, match=message):
        ExportedModel(conditional_export).generate(**arguments)


def change(card, text=None, **values):
    content = {**json.loads(card.read_text()), **values}
    card.write_text(json.dumps(content) if text is None else text)


@pytest.mark.parametrize(
    "change_card",
    [
        lambda card: card.unlink(),
        lambda card: change(card, "{"),
        lambda card: change(card, " " * (1 << 20) + "{}"),
        lambda card: change(card, generator={"num_classes": "3"}),
        lambda card: change(card, generator=[]),
        lambda card: change(card, generator={"num_classes": 10**12}, class_names=None),
        lambda card: change(card, class_names=["one"]),
        lambda card: change(card, class_names=[1, 2, 3]),
        lambda card: change(card, data="glyphs"),
        lambda card: change(card, class_weights=[1, 2]),
        lambda card: change(card, class_weights=[1, -1, 2]),
        lambda card: change(card, class_weights=[0, 0, 0]),
        lambda card: change(card, class_weights=[1, "1", 10**400]),
    ],
)
def test_an_export_of_unknown_classes(conditional_export, tmp_path, change_card):
    shutil.copytree(conditional_export, tmp_path / "1")
    change_card(tmp_path / "1" / "assets.extra" / "model.json")
    model = ExportedModel(tmp_path / "1")
    assert model.card == {} and model.class_names is None
    with pytest.raises(ValueError, match="does not say which classes it has"):
        model.generate(labels=[0])
    assert model.draw([0], [2]).shape == (1, 32, 32, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="label must be in"):
        model.draw([0], [3])


def vector(size, dtype=tf.float32):
    return tf.TensorSpec([None, size] if size else [None], dtype)


@pytest.mark.parametrize("image_dtype", [tf.float32, tf.uint8])
def test_an_export_of_something_else(tmp_path, image_dtype):
    """The names are there; the types or shapes are not."""

    @tf.function(input_signature=[vector(8)])
    def serve(latent):
        return {"images": tf.zeros((len(latent), 4, 4, 3))}

    @tf.function(input_signature=[vector(0, tf.int64), vector(0)])
    def generate(seed, truncation):
        return {"images": tf.zeros((len(seed), 4, 4, 3), image_dtype)}

    signatures = {"serving_default": serve, "generate": generate}
    tf.saved_model.save(tf.Module(), tmp_path / "1", signatures)
    if image_dtype == tf.uint8:
        assert ExportedModel(tmp_path / "1").layers == []
    else:
        with pytest.raises(
            ValueError, match=r"is not an export.*generate\(.*seed int64"
        ):
            ExportedModel(tmp_path / "1")


def test_without_the_signatures(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda x: {"y": 2 * x}, [vector(0)])
    tf.saved_model.save(module, tmp_path / "1", signatures=module.f)
    with pytest.raises(ValueError, match="is not an export of `keras-sagan export`"):
        ExportedModel(tmp_path / "1")
    with pytest.raises(OSError, match="does not exist"):
        ExportedModel(tmp_path / "2")


def test_network_function(any_gan, model):
    function, specs = model.network_function()
    inputs = {"latent": np.ones((2, specs[0].shape[1]), np.float32)}
    if model.conditional:
        inputs["label"] = np.array([2, 0], np.int32)
    outputs = {name: x.numpy() for name, x in function(**inputs).items()}
    images, maps = model.view(*inputs.values())
    np.testing.assert_array_equal(sampling.to_uint8(outputs["images"]), images)
    scores = maps["generator/attention_16"]
    np.testing.assert_array_equal(outputs["attention_16"], scores)
