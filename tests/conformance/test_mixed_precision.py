"""`mixed_bfloat16`: float32 weights, results near those of float32."""

import keras
import numpy as np
import pytest

from tests.conformance.cases import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mixed_bfloat16(case):
    layer, mixed = case.build("float32"), case.build("mixed_bfloat16")
    mixed.set_weights(layer.get_weights())
    inputs = case.inputs()
    # Layers compute in bfloat16; what the networks give is float32.
    dtype = "float32" if isinstance(layer, keras.Model) else "bfloat16"
    assert mixed(case.symbolic_inputs()).dtype == dtype
    for training in (False, True):
        expected = np.array(layer(inputs, training=training))
        outputs = mixed(inputs, training=training)
        assert keras.backend.standardize_dtype(outputs.dtype) == dtype
        error = np.array(outputs, "float32") - expected
        assert np.linalg.norm(error) < 0.05 * np.linalg.norm(expected)
    kinds = {v.dtype for v in mixed.weights if "float" in v.dtype}
    assert kinds == {"float32"}
    # Statistics and vectors moved as in float32, not in steps of 2^-8.
    for variable, other in zip(
        mixed.non_trainable_weights, layer.non_trainable_weights, strict=True
    ):
        if variable.name in ("u", "v"):
            np.testing.assert_allclose(variable, other, atol=1e-6)
