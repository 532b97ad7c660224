"""Assigning arrays to networks, and what a new `SAGAN` samples from."""

import numpy as np
import pytest

from keras_sagan.interop import assembly
from keras_sagan.models import Generator


@pytest.fixture
def generator():
    return Generator(num_classes=2, latent_dim=4, base_filters=4)


def arrays_of(network):
    return {k: np.array(v) for k, v in assembly.named_variables(network).items()}


def test_names_are_short_and_unique(generator):
    names = assembly.named_variables(generator)
    assert len(names) == len(generator.weights)
    expected = {"dense/kernel", "dense/u", "block1_bn1/gamma", "attention_16/gamma"}
    assert expected | {"attention_16/query/v", "to_images/bias"} <= set(names)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda a: a.pop("block3_bn2/beta"), "First difference: block3_bn2/beta"),
        (lambda a: a.update(extra=np.zeros(2)), "First difference: extra"),
        (
            lambda a: a.update({"bn/beta": np.zeros(3)}),
            r"bn/beta must have shape \(16,\). Received: shape \(3,\)",
        ),
    ],
)
def test_assign_sets_all_or_nothing(generator, edit, message):
    before = arrays_of(generator)
    arrays = {name: array + 1 for name, array in before.items()}
    edit(arrays)
    with pytest.raises(ValueError, match=message):
        assembly.assign(generator, arrays)
    for name, array in arrays_of(generator).items():
        np.testing.assert_array_equal(array, before[name])


def test_the_statistics_of_the_averaged_generator_are_kept(generator):
    """Sampling re-estimates them only once the weights have changed."""
    arrays = arrays_of(generator)
    averaged = {name: array + 0.01 for name, array in arrays.items()}
    gan = assembly.build_gan(generator, averaged=averaged)
    gan.generate([0, 1])
    for name, array in arrays_of(gan.ema_generator).items():
        np.testing.assert_array_equal(array, averaged[name])
    for name, array in arrays_of(gan.generator).items():
        np.testing.assert_array_equal(array, arrays[name])
    gan.ema_generator.get_layer("dense").layer.bias.assign_add(np.ones(256))
    gan.generate([0, 1])
    statistic = "block1_bn1/moving_mean"
    changed = arrays_of(gan.ema_generator)[statistic]
    assert np.abs(changed - averaged[statistic]).max() > 0.1
