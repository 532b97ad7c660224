"""Two replicas of a `MirroredStrategy` do together what one device does alone."""

import numpy as np
import pytest
import tensorflow as tf

from tests.conformance.cases import CASES

pytestmark = pytest.mark.distributed


def has_own_batch_statistics(layer):
    """Whether a replica normalises with its own share of the batch in training."""
    return any(
        not getattr(x, "synchronized", True)
        for x in layer._flatten_layers()
        if hasattr(x, "moving_mean")
    )


def local_values(strategy, layer):
    """Weights as each replica has them."""
    columns = [strategy.experimental_local_results(v.value) for v in layer.weights]
    return [[np.array(x[i]) for x in columns] for i in range(2)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_two_replicas(case):
    alone, inputs = case.build("float64"), case.inputs(batch=4)
    # Collectives of several strategies in one process get into each other's way.
    strategy = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        layer = case.build("float64")
    layer.set_weights(alone.get_weights())

    def share(context):
        start = 2 * context.replica_id_in_sync_group
        return tf.nest.map_structure(
            lambda x: tf.constant(x[start : start + 2]), inputs
        )

    shares = strategy.experimental_distribute_values_from_function(share)

    @tf.function
    def run(shares, training):
        outputs = strategy.run(lambda x: layer(x, training=training), [shares])
        return tf.concat(strategy.experimental_local_results(outputs), axis=0)

    close = {"rtol": 1e-8, "atol": 1e-10}
    np.testing.assert_allclose(run(shares, False), alone(inputs), **close)

    outputs, expected = run(shares, True), alone(inputs, training=True)
    if not has_own_batch_statistics(layer):
        np.testing.assert_allclose(outputs, expected, **close)
    first, second = local_values(strategy, layer)
    for variable, a, b, other in zip(
        layer.weights, first, second, alone.get_weights(), strict=True
    ):
        if not (has_own_batch_statistics(layer) and "moving" in variable.name):
            np.testing.assert_array_equal(a, b, variable.path)
            np.testing.assert_allclose(a, other, err_msg=variable.path, **close)
