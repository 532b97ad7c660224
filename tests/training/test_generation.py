"""Images and attention maps: what they depend on, and what they do not."""

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.training import generation
from tests import helpers


@pytest.fixture(scope="module")
def gan():
    return helpers.tiny_gan()


@pytest.fixture(scope="module")
def unconditional():
    return helpers.tiny_gan(None, attention=False, channels=1)


def test_images_are_a_function_of_seed_label_and_truncation(gan):
    images = gan.generate(labels=[0, 1, 2, 0], seed=3)
    assert images.shape == (4, 32, 32, 3)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(gan.generate(labels=[0, 1, 2, 0], seed=3), images)
    assert not np.array_equal(gan.generate(labels=[0, 1, 2, 0], seed=4), images)
    assert not np.array_equal(gan.generate(labels=[0, 1, 2, 0], truncation=1), images)
    assert not np.array_equal(images[0], images[3])  # the same label
    same_latent = gan.generate(labels=[0, 1], seed=[3, 3])
    assert not np.array_equal(same_latent[0], same_latent[1])


def test_a_row_does_not_depend_on_the_others(gan):
    labels = [0, 1, 2, 0, 1, 2, 0]
    images = gan.generate(labels=labels, seed=10, truncation=1.5)
    for batch_size in (1, 3):
        others = gan.generate(
            labels=labels, seed=10, truncation=1.5, batch_size=batch_size
        )
        helpers.assert_same_pixels(others, images)
    shuffled = gan.generate(labels=[0, 2, 0], seed=[16, 12, 10], truncation=1.5)
    helpers.assert_same_pixels(shuffled, images[[6, 2, 0]])
    alone = gan.generate(labels=[1], seed=14, truncation=1.5)
    helpers.assert_same_pixels(alone, images[4:5])


def test_images_are_the_averaged_generators(gan):
    gan.refresh_ema()
    spec = tf.constant([5, 6], tf.int64)
    latents = sampling.row_latents(spec, 8, tf.zeros(2))
    floats = gan.predict([latents.numpy(), np.array([0, 2])], verbose=0)
    assert floats.dtype == np.float32
    assert np.abs(floats).max() <= 1
    expected = np.round(127.5 * (floats + 1)).astype("uint8")
    helpers.assert_same_pixels(gan.generate(labels=[0, 2], seed=5), expected)


@pytest.mark.parametrize(
    ("labels", "indices"),
    [
        (["blue", "red"], [2, 0]),
        (("green",), [1]),
        ("green", [1]),
        (np.array(["red", "blue"]), [0, 2]),
        (np.array([2, 1], np.int64), [2, 1]),
        (np.uint8(2), [2]),
        (tf.constant([2, 0]), [2, 0]),
        (range(2), [0, 1]),
        (["red", 1], [0, 1]),
        (1, [1]),
    ],
)
def test_labels_by_name_or_index(gan, labels, indices):
    expected = gan.generate(labels=indices, seed=1)
    np.testing.assert_array_equal(gan.generate(labels=labels, seed=1), expected)


def test_truncation_draws_images_together(gan):
    labels = [1] * 8

    def spread(truncation):
        return gan.generate(labels=labels, truncation=truncation).std(axis=0).mean()

    assert spread(0.01) < 0.1 * spread(None)
    # All but no truncation is the same distribution by another way.
    assert 0.5 < spread(50) / spread(None) < 2


def test_seeds_may_be_any_integer(gan):
    seeds = [-5, 0, 2**40, np.int64(7), 2**63 - 1]
    images = gan.generate(labels=[0] * 5, seed=seeds)
    assert len(np.unique(images, axis=0)) == 5
    helpers.assert_same_pixels(gan.generate(labels=[0], seed=2**40), images[2:3])


def test_unconditional(unconditional):
    images = unconditional.generate(num_images=3, seed=2)
    assert images.shape == (3, 32, 32, 1)
    helpers.assert_same_pixels(unconditional.generate(num_images=1, seed=4), images[2:])
    assert len(unconditional.generate(num_images=np.int64(2))) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"pass `labels`.*labels=None"),
        ({"num_images": 3}, "pass `labels`.*num_images=3"),
        ({"labels": [0], "num_images": 1}, "no `num_images`"),
        ({"labels": [3]}, r"`labels` .*\[0, 3\).*Received: 3"),
        ({"labels": [-1]}, r"`labels` .*\[0, 3\).*Received: -1"),
        ({"labels": [0.0]}, "`labels` must be integers.*0.0"),
        ({"labels": [True]}, "`labels` must be integers.*True"),
        ({"labels": [[0], [1]]}, "`labels` must be integers"),
        ({"labels": ["rde"]}, "`labels` .*'red', 'green', 'blue'.*'rde'"),
        ({"labels": []}, "at least one"),
        ({"labels": [0], "seed": 0.5}, "`seed` must be an integer.*seed=0.5"),
        ({"labels": [0, 1], "seed": [1, 2, 3]}, "`seed` .*2 integers"),
        ({"labels": [0], "seed": True}, "`seed` must be an integer.*True"),
        ({"labels": [0], "seed": None}, "`seed` must be an integer.*None"),
        (
            {"labels": [0, 1], "seed": 2**63 - 1},
            "no image may .*9223372036854775807",
        ),
        ({"labels": [0], "seed": [2**63]}, r"above 2\*\*63 - 1"),
        ({"labels": [0], "truncation": 0}, "`truncation` .*> 0.*truncation=0"),
        ({"labels": [0], "truncation": -1.0}, "`truncation` .*> 0.*=-1.0"),
        ({"labels": [0], "truncation": float("nan")}, "`truncation` .*finite.*nan"),
        ({"labels": [0], "truncation": "a"}, "`truncation` .*finite.*'a'"),
        ({"labels": [0], "batch_size": 0}, "`batch_size` .*> 0.*batch_size=0"),
        ({"labels": [0], "batch_size": 1.5}, "`batch_size` .*batch_size=1.5"),
    ],
)
def test_bad_arguments(gan, arguments, message):
    with pytest.raises(ValueError, match=message):
        gan.generate(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "pass `num_images`"),
        ({"labels": [0]}, r"unconditional.*labels=\[0\]"),
        ({"num_images": 0}, "at least one.* 0 images"),
        ({"num_images": 1.5}, "at least one.* 1.5 images"),
        ({"num_images": True}, "at least one.* True images"),
    ],
)
def test_bad_arguments_of_an_unconditional_model(unconditional, arguments, message):
    with pytest.raises(ValueError, match=message):
        unconditional.generate(**arguments)


def test_names_of_a_model_without_names():
    gan = helpers.tiny_gan(attention=False, class_names=None)
    with pytest.raises(ValueError, match=r"it has none.*'red'"):
        gan.generate(labels=["red"])


def test_attention_maps(gan):
    maps = gan.attention_maps(labels=["red", 1], seed=3)
    shapes = {name: value.shape for name, value in maps.items()}
    expected = (2, 16 * 16, 8 * 8)
    assert shapes == {
        "generator/attention_16": expected,
        "discriminator/attention_16": expected,
    }
    for value in maps.values():
        assert value.dtype == np.float32
        assert value.min() >= 0
        np.testing.assert_allclose(value.sum(axis=-1), 1, rtol=1e-5)
    assert np.ptp(maps["generator/attention_16"][0], axis=0).max() > 1e-4


def test_attention_maps_of_a_model_without_attention(unconditional):
    assert unconditional.attention_maps(num_images=1) == {}


def test_latents_and_images_are_those_of_generate(gan):
    drawn = sampling.latents(8, [3, 9], truncation=0.7)
    labels = np.array([2, 0], np.int32)
    expected = gan.generate(labels=labels, seed=[3, 9], truncation=0.7)
    found = generation.images(gan.ema_generator, drawn, labels, batch_size=1)
    helpers.assert_same_pixels(found, expected)
    with pytest.raises(ValueError, match="`truncation` must be"):
        sampling.latents(8, [3], truncation=-1.0)


def test_view_is_images_and_maps(gan):
    images, maps = generation.view(gan, sampling.latents(8, [3, 4]), [1, 2])
    helpers.assert_same_pixels(images, gan.generate(labels=[1, 2], seed=3))
    expected = gan.attention_maps(labels=[1, 2], seed=3)
    for name, attention in expected.items():
        np.testing.assert_array_equal(maps[name], attention)
