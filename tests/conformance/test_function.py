"""`tf.function`, without and with XLA, does what eager execution does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conformance.cases import CASES


def results(call, layer, inputs, weights):
    """Outputs, gradients, and the weights after the call, from given `weights`."""
    layer.set_weights(weights)
    outputs, gradients = call(inputs)
    return [outputs, *gradients, *layer.get_weights()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_compiled_training_equals_eager(case):
    """Inference in a graph: see the dynamic batch."""
    layer = case.build("float64")
    inputs = tf.nest.map_structure(tf.constant, case.inputs())
    weights = layer.get_weights()

    def call(inputs):
        with tf.GradientTape() as tape:
            outputs = layer(inputs, training=True)
            factors = np.random.default_rng(2).normal(size=outputs.shape)
            loss = tf.reduce_sum(outputs * tf.constant(factors))
        if isinstance(layer, keras.Model):  # their gradients: see the training step
            return outputs, []
        sources = [v.value for v in layer.trainable_variables]
        return outputs, [
            tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, sources)
        ]

    expected = results(call, layer, inputs, weights)
    for jit_compile in (False, True):
        compiled = tf.function(call, jit_compile=jit_compile, autograph=False)
        for _ in range(2):
            values = results(compiled, layer, inputs, weights)
        assert compiled.experimental_get_tracing_count() == 1
        for value, other in zip(values, expected, strict=True):
            np.testing.assert_allclose(value, other, rtol=1e-7, atol=1e-9)
