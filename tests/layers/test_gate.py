"""What attention and its control share."""

import keras
import pytest

from keras_sagan.layers import SpectralNormalization, self_attention


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "float64"])
def test_projection_has_its_parents_policy_and_no_bias(policy):
    parent = keras.layers.Layer(dtype=policy)
    layer = self_attention.projection(parent, 4, 3, "reduce", "orthogonal")
    assert isinstance(layer, SpectralNormalization)
    layer.build((None, 5, 5, 2))
    conv = layer.layer
    assert conv.dtype_policy.name == policy
    assert (conv.name, layer.name, conv.use_bias) == ("reduce", "reduce", False)
    assert conv.kernel.shape == (3, 3, 2, 4)
    assert isinstance(conv.kernel_initializer, keras.initializers.Orthogonal)
    assert conv.compute_output_shape((None, 5, 5, 2)) == (None, 5, 5, 4)


def test_projection_without_spectral_norm():
    parent = keras.layers.Layer()
    layer = self_attention.projection(
        parent, 4, 1, "query", "zeros", spectral_norm=False
    )
    assert isinstance(layer, keras.layers.Conv2D)


def test_gate_is_a_trained_scalar_that_starts_at_zero():
    layer = keras.layers.Layer()
    gamma = self_attention.add_gate(layer)
    assert gamma.shape == () and float(gamma) == 0.0
    assert layer.trainable_variables == [gamma]
