"""Networks that do not fit each other, and what they show while they train."""

import keras
import numpy as np
import pytest

from keras_sagan import SAGAN
from keras_sagan.models import Discriminator, Generator
from keras_sagan.training import networks
from tests import helpers

SMALL = {"base_filters": 2, "attention_resolutions": ()}


@pytest.fixture(scope="module")
def pair():
    return helpers.tiny_networks(attention=False)


@pytest.mark.parametrize(
    ("argument", "value"), [("channels", 1), ("num_classes", 4), ("num_classes", None)]
)
def test_networks_must_fit(pair, argument, value):
    other = Discriminator(**{"num_classes": 3, **SMALL, argument: value})
    with pytest.raises(ValueError, match=f"same `{argument}`.* 3 and {value}"):
        SAGAN(pair[0], other)


def test_image_sizes_must_fit(pair):
    other = Generator(64, num_classes=3, latent_dim=2, **SMALL)
    with pytest.raises(ValueError, match=r"same `image_size`.* 64 and 32"):
        SAGAN(other, pair[1])


def test_networks_must_be_of_this_package(pair):
    with pytest.raises(ValueError, match="`generator` must be a keras_sagan Generator"):
        SAGAN(*reversed(pair))
    with pytest.raises(ValueError, match=r"`discriminator` must be .*None"):
        SAGAN(pair[0], None)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("red", "green"), "2 names, num_classes=3"),
        (("red", "green", "red"), "red"),
        (("red", "green", 3), "3"),
    ],
)
def test_class_names(pair, names, message):
    with pytest.raises(ValueError, match=f"`class_names` .*{message}"):
        SAGAN(*pair, class_names=names)


def test_class_names_of_an_unconditional_model():
    with pytest.raises(ValueError, match=r"`class_names` .*num_classes=None"):
        SAGAN(*helpers.tiny_networks(None, attention=False), class_names=("red",))


def test_gates_are_named_after_pixel_size():
    gan = helpers.tiny_gan()
    gates = networks.gates(gan.generator, gan.discriminator)
    assert set(gates) == {"g_gamma_16", "d_gamma_16"}
    np.testing.assert_allclose(list(gates.values()), 0.5)


def test_sigmas_are_the_largest_singular_values():
    gan = helpers.tiny_gan()
    layers = {
        "g_sigma/to_images": gan.generator.get_layer("to_images"),
        "d_sigma/attention_16/key": gan.discriminator.get_layer("attention_16").key,
    }
    for layer in layers.values():
        layer.advance(200)
    before = helpers.values(gan.variables)
    found = networks.sigmas(gan)
    helpers.assert_equal(helpers.values(gan.variables), before)
    assert len(found) == 31
    for name, layer in layers.items():
        kernel = np.array(layer.layer.kernel)
        matrix = kernel.reshape(-1, kernel.shape[-1])
        largest = np.linalg.svd(matrix, compute_uv=False)[0]
        np.testing.assert_allclose(found[name], largest, rtol=1e-4)


def test_another_model_has_none():
    assert networks.sigmas(keras.Sequential([keras.layers.Dense(1)])) == {}
