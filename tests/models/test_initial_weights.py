"""Kernels of a new network are drawn independently of each other."""

import itertools

import keras
import numpy as np
import pytest

from keras_sagan.layers import SelfAttention2D
from keras_sagan.models import Discriminator, Generator
from tests import helpers

SIZES = {"image_size": 32, "num_classes": 3, "base_filters": 8}


@pytest.mark.parametrize(
    "attention",
    [
        "released",
        *(pytest.param(x, marks=pytest.mark.slow) for x in ("paper", "formula")),
        pytest.param("residual", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    "initializer",
    ["orthogonal", pytest.param("glorot_uniform", marks=pytest.mark.slow)],
)
def test_no_kernel_is_the_beginning_of_another(attention, initializer):
    """As kernels are that get their numbers from one initializer object."""
    for network in (Generator, Discriminator):
        model = network(
            **SIZES,
            attention=attention,
            attention_resolutions=(16,),
            kernel_initializer=initializer,
        )
        values = [np.ravel(x) for x in helpers.values(model.trainable_variables)]
        drawn = [x for x in values if x.size >= 32 and x.std() > 0]
        assert len(drawn) >= 10
        for one, other in itertools.combinations(drawn, 2):
            size = min(len(one), len(other))
            assert abs(np.corrcoef(one[:size], other[:size])[0, 1]) < 0.7


@pytest.mark.parametrize(
    "seed", [3, keras.random.SeedGenerator(3)], ids=["number", "generator"]
)
def test_a_seed_is_not_the_same_numbers_for_every_kernel(seed):
    initializer = keras.initializers.GlorotUniform(seed=seed)
    layer = SelfAttention2D(
        value_ratio=8, kernel_initializer=initializer, spectral_norm=False
    )
    layer.build((None, 4, 4, 32))
    query, key, value = helpers.values(
        [layer.query.kernel, layer.key.kernel, layer.value.kernel]
    )
    assert query.shape == key.shape == value.shape
    for one, other in itertools.combinations([query, key, value], 2):
        assert np.abs(one - other).max() > 0.01


def test_a_seed_gives_the_same_layer_again():
    layers = []
    for _ in range(2):
        layer = SelfAttention2D(
            kernel_initializer=keras.initializers.Orthogonal(seed=5)
        )
        layer.build((None, 4, 4, 32))
        layers.append(helpers.values(layer.trainable_variables))
    helpers.assert_equal(*layers)
