"""Adam as one operation: the same numbers as Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.training.fused_adam import apply_gradients

SHAPES = [(3, 3, 4, 5), (7,), ()]
ARGUMENTS = {
    "defaults": {},
    "no first moment": {"beta_1": 0.0, "epsilon": 1e-8},
    "clipped, with weight decay": {"clipnorm": 0.3, "weight_decay": 0.01},
    "schedule": {
        "learning_rate": keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.5)
    },
}


class Other(keras.optimizers.Adam):
    """Somebody's own variation."""

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(2 * gradient + 1, variable, learning_rate)


def trained(make, dtype="float32", steps=20):
    """By both ways: operations of a step; weights and slots after some steps."""
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=shape) for shape in SHAPES]
    drawn = [[rng.normal(size=shape) for shape in SHAPES] for _ in range(steps)]
    results = []
    for apply in (apply_gradients, by_keras):
        optimizer = make()
        variables = [keras.Variable(start, dtype=dtype) for start in starts]
        optimizer.build(variables)
        step = compiled(apply, optimizer, variables)
        for gradients in drawn:
            step(*(tf.constant(x, dtype) for x in gradients))
        values = [np.array(x) for x in (*variables, *optimizer.variables)]
        results.append(([op.type for op in step.graph.get_operations()], values))
    return results


def compiled(apply, optimizer, variables):
    def step(*gradients):
        apply(optimizer, list(gradients), variables)

    signature = [tf.TensorSpec(v.shape, v.dtype) for v in variables]
    return tf.function(step).get_concrete_function(*signature)


def by_keras(optimizer, gradients, variables):
    optimizer.apply(gradients, variables)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 3e-6), ("float64", 0)])
@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_the_same_as_keras(arguments, dtype, tolerance):
    def make():
        return keras.optimizers.Adam(**{"learning_rate": 0.01, **ARGUMENTS[arguments]})

    (fused, ours), (_, theirs) = trained(make, dtype)
    assert fused.count("ResourceApplyAdam") == len(SHAPES)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.Adam(0.01, amsgrad=True),
        lambda: keras.optimizers.SGD(0.01),
        lambda: Other(0.01),
    ],
    ids=["AMSGrad", "SGD", "a subclass"],
)
def test_others_are_left_alone(make):
    (types, ours), (_, theirs) = trained(make)
    assert "ResourceApplyAdam" not in types
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_optimizer_is_as_it_was():
    optimizer = keras.optimizers.Adam(0.01)
    variable = keras.Variable(np.ones(3))
    apply_gradients(optimizer, [tf.ones(3)], [variable])
    assert "update_step" not in vars(optimizer)
    with pytest.raises(ValueError, match="gradient"):
        apply_gradients(optimizer, [None], [variable])
    assert "update_step" not in vars(optimizer)


def test_a_sparse_gradient():
    """That of a row that was looked up."""
    results = []
    for apply in (apply_gradients, by_keras):
        optimizer, table = keras.optimizers.Adam(0.1), keras.Variable(np.ones((4, 3)))
        for row in (1, 2, 1):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.gather(table.value, [row, row]) ** 2)
            apply(optimizer, [tape.gradient(loss, table.value)], [table])
        results.append(np.array(table))
    np.testing.assert_allclose(*results, rtol=1e-6)
    assert (results[0][1] < results[0][0]).all()
