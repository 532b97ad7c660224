import keras
import numpy as np

from keras_sagan.training import observations
from tests import helpers


def test_sigmas_are_the_largest_singular_values():
    gan = helpers.tiny_gan()
    layers = {
        "g_sigma/to_images": gan.generator.get_layer("to_images"),
        "d_sigma/attention_16/key": gan.discriminator.get_layer("attention_16").key,
    }
    for layer in layers.values():
        layer.advance(200)
    before = helpers.values(gan.variables)
    found = observations.sigmas(gan)
    helpers.assert_equal(helpers.values(gan.variables), before)
    assert len(found) == 31
    for name, layer in layers.items():
        kernel = np.array(layer.layer._kernel)
        matrix = kernel.reshape(-1, kernel.shape[-1])
        largest = np.linalg.svd(matrix, compute_uv=False)[0]
        np.testing.assert_allclose(found[name], largest, rtol=1e-4)


def test_another_model_has_none():
    assert observations.sigmas(keras.Sequential([keras.layers.Dense(1)])) == {}
