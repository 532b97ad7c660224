"""One graph serves batches of any size, and rows do not depend on each other."""

import numpy as np
import pytest
import tensorflow as tf

from tests.conformance.cases import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_dynamic_batch(case):
    layer = case.build("float64")
    inputs = case.inputs(batch=4)
    signature = tf.nest.map_structure(
        lambda x: tf.TensorSpec((None, *x.shape[1:]), x.dtype), inputs
    )
    call = tf.function(lambda x: layer(x, training=False), input_signature=[signature])
    outputs = call(inputs)
    assert outputs.shape == layer(inputs).shape
    for rows in (slice(0, 1), slice(1, 4)):
        some = tf.nest.map_structure(lambda x, rows=rows: x[rows], inputs)
        np.testing.assert_allclose(call(some), outputs[rows], rtol=1e-9, atol=1e-12)
    assert call.experimental_get_tracing_count() == 1
    static = call.get_concrete_function().structured_outputs.shape
    assert static.as_list() == [None, *outputs.shape[1:]]
