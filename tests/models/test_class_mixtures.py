import numpy as np
import pytest

from keras_sagan import sampling
from keras_sagan.layers import ConditionalBatchNormalization
from keras_sagan.models import class_mixtures
from keras_sagan.training import generation
from tests import helpers


@pytest.fixture(scope="module")
def gan():
    gan = helpers.tiny_gan()
    gan.refresh_ema()
    return gan


@pytest.mark.slow
def test_pure_mixtures_are_the_classes_themselves(gan):
    mixed = class_mixtures.mixed_generator(gan.ema_generator, np.eye(3)[[2, 0]])
    drawn = sampling.latents(8, [3, 9])
    found = generation.images(mixed, drawn, np.arange(2))
    expected = generation.images(gan.ema_generator, drawn, np.array([2, 0]))
    np.testing.assert_array_equal(found, expected)


def test_mixtures_are_weighted_means_of_the_tables(gan):
    weights = [0.25, 0.0, 0.75]
    mixed = class_mixtures.mixed_generator(gan.ema_generator, [weights])
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
        class_mixtures.mixed_generator(gan.ema_generator, np.eye(4))
