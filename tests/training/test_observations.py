import keras
import numpy as np

from keras_sagan.layers import advance_spectral_norm
from keras_sagan.training import observations
from tests import helpers


def test_sigmas_are_the_largest_singular_values():
    gan = helpers.tiny_gan()
    for network in (gan.generator, gan.discriminator):
        advance_spectral_norm(network, 200)
    before = helpers.values(gan.variables)
    found = observations.sigmas(gan)
    helpers.assert_equal(helpers.values(gan.variables), before)
    assert {name[:8] for name in found} == {"g_sigma/", "d_sigma/"}
    kernels = {
        "g_sigma/to_images": gan.generator.get_layer("to_images").layer._kernel,
        "d_sigma/attention_16/key": gan.discriminator.get_layer(
            "attention_16"
        ).key.layer._kernel,
    }
    for name, kernel in kernels.items():
        matrix = np.array(kernel).reshape(-1, kernel.shape[-1])
        largest = np.linalg.svd(matrix, compute_uv=False)[0]
        np.testing.assert_allclose(found[name], largest, rtol=1e-4)


def test_another_model_has_none():
    assert observations.sigmas(keras.Sequential([keras.layers.Dense(1)])) == {}
