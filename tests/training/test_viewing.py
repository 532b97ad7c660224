import numpy as np
import pytest

from keras_sagan.layers import ConditionalBatchNormalization
from keras_sagan.training import viewing
from tests import helpers


@pytest.fixture(scope="module")
def gan():
    gan = helpers.tiny_gan()
    gan.refresh_ema()
    return gan


def test_latents_and_images_are_those_of_generate(gan):
    drawn = viewing.latents(8, [3, 9], truncation=0.7)
    labels = np.array([2, 0], np.int32)
    expected = gan.generate(labels=labels, seed=[3, 9], truncation=0.7)
    found = viewing.images(gan.ema_generator, drawn, labels, batch_size=1)
    helpers.assert_same_pixels(found, expected)
    with pytest.raises(ValueError, match="`truncation` must be"):
        viewing.latents(8, [3], truncation=-1.0)


def test_view_is_images_and_maps(gan):
    images, maps = viewing.view(gan, viewing.latents(8, [3, 4]), [1, 2])
    helpers.assert_same_pixels(images, gan.generate(labels=[1, 2], seed=3))
    expected = gan.attention_maps(labels=[1, 2], seed=3)
    for name, attention in expected.items():
        np.testing.assert_array_equal(maps[name], attention)


def test_pure_mixtures_are_the_classes_themselves(gan):
    mixed = viewing.mixed_generator(gan.ema_generator, np.eye(3)[[2, 0]])
    drawn = viewing.latents(8, [3, 9])
    found = viewing.images(mixed, drawn, np.arange(2))
    expected = viewing.images(gan.ema_generator, drawn, np.array([2, 0]))
    np.testing.assert_array_equal(found, expected)


def test_mixtures_are_weighted_means_of_the_tables(gan):
    weights = [0.25, 0.0, 0.75]
    mixed = viewing.mixed_generator(gan.ema_generator, [weights])
    pairs = [
        (a, b)
        for a, b in zip(gan.ema_generator.layers, mixed.layers, strict=True)
        if isinstance(a, ConditionalBatchNormalization)
    ]
    assert len(pairs) == 6
    for layer, between in pairs:
        for name in ("gamma", "beta"):
            table = getattr(layer, name).numpy()
            expected = 0.25 * table[0] + 0.75 * table[2]
            np.testing.assert_allclose(
                getattr(between, name).numpy(), expected[None], rtol=1e-5, atol=1e-6
            )


def test_mixtures_of_other_models(gan):
    with pytest.raises(ValueError, match=r"shape \(n, 3\)"):
        viewing.mixed_generator(gan.ema_generator, np.eye(4))


def test_both_statistics(gan):
    before = helpers.values(gan.ema_generator.weights)
    stored, of_batch = viewing.with_both_statistics(gan, 12)
    helpers.assert_equal(helpers.values(gan.ema_generator.weights), before)
    expected = gan.generate(labels=np.arange(12) % 3, seed=0)
    helpers.assert_same_pixels(np.rint((stored + 1) * 127.5).astype(np.uint8), expected)
    usual = np.abs(stored - of_batch).mean()
    assert 0 < usual < 0.5
    for layer in gan.ema_generator.layers:
        if isinstance(layer, ConditionalBatchNormalization):
            layer.moving_variance.assign(layer.moving_variance * 9)
    worse, same = viewing.with_both_statistics(gan, 12)
    for variable, value in zip(gan.ema_generator.weights, before, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(same, of_batch)
    assert np.abs(worse - same).mean() > 2 * usual
