"""Adam's update of a variable as TensorFlow's one operation for it."""

import functools

import keras
import tensorflow as tf
from keras import ops


def apply_gradients(optimizer, gradients, variables):
    """`optimizer.apply(gradients, variables)`, with fewer passes over the weights.

    Where the optimizer is `keras.optimizers.Adam` itself without AMSGrad, each variable
    and its moments are read and written once (`ResourceApplyAdam`) instead of by a
    dozen operations: the same formula, up to rounding. It saves most of the 4 % that a
    step of 128 px takes less (benchmarks/RESULTS.md). Sparse gradients stay Keras's.

    Args:
        optimizer: `keras.optimizers.Optimizer`.
        gradients: list of tensors.
        variables: list of variables, as many.
    """
    if type(optimizer) is not keras.optimizers.Adam or optimizer.amsgrad:
        optimizer.apply(gradients, variables)
        return
    optimizer.update_step = functools.partial(_update, optimizer)
    try:
        optimizer.apply(gradients, variables)
    finally:
        # Back to the class's own. Replicas are threads that share the optimizer: each
        # sets it before it waits for the others, the first one removes it.
        vars(optimizer).pop("update_step", None)


def _update(optimizer, gradient, variable, learning_rate):
    """In place of `Adam.update_step`."""
    if isinstance(gradient, tf.IndexedSlices):
        keras.optimizers.Adam.update_step(optimizer, gradient, variable, learning_rate)
        return
    index = optimizer._get_variable_index(variable)
    momentum, velocity = optimizer._momentums[index], optimizer._velocities[index]
    dtype = variable.dtype
    step = tf.cast(optimizer.iterations.value + 1, dtype)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=momentum.value.handle,
        v=velocity.value.handle,
        beta1_power=ops.power(ops.cast(optimizer.beta_1, dtype), step),
        beta2_power=ops.power(ops.cast(optimizer.beta_2, dtype), step),
        lr=tf.cast(learning_rate, dtype),
        beta1=tf.constant(optimizer.beta_1, dtype),
        beta2=tf.constant(optimizer.beta_2, dtype),
        epsilon=tf.constant(optimizer.epsilon, dtype),
        grad=tf.cast(gradient, dtype),
    )
