"""Gradients of kernels come first, and are the same."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.layers import UpsampleConv2D
from keras_sagan.training.optimizers import gradients, sum_gradients
from tests import helpers

IMAGES = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")


def network():
    keras.utils.set_random_seed(1)
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            UpsampleConv2D(4),
            layers.ReLU(),
            layers.Conv2D(2, 3, strides=2),
        ]
    )


def loss_gradients(model, function):
    """A compiled function from images to the gradients of `model`'s weights."""

    @tf.function
    def run(images):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(images) ** 2)
        return function(tape, loss, model.trainable_variables)

    return run


def test_values_are_those_of_the_tape():
    model = network()
    model(IMAGES)
    variables = [v.value for v in model.trainable_variables]
    ours = loss_gradients(model, gradients)
    plain = loss_gradients(model, lambda tape, *rest: tape.gradient(*rest))
    for a, b in zip(ours(IMAGES), plain(IMAGES), strict=True):
        np.testing.assert_array_equal(a, b)
    with tf.GradientTape() as tape:  # eagerly
        loss = tf.reduce_sum(model(tf.constant(IMAGES)) ** 2)
    for a, b in zip(gradients(tape, loss, variables), ours(IMAGES), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_gradients_of_inputs_wait_for_those_of_kernels():
    model = network()
    model(IMAGES)
    run = loss_gradients(model, gradients)
    graph = run.get_concrete_function(tf.TensorSpec(IMAGES.shape)).graph
    waiting = [
        operation.type
        for operation in graph.get_operations()
        for other in operation.control_inputs
        if other.type == "Conv2DBackpropFilter"
    ]
    assert sorted(waiting) == ["Conv2D", *["Conv2DBackpropInput"] * 2]


@pytest.mark.slow
def test_the_forward_pass_of_the_generator_waits_for_the_discriminators_update():
    gan = helpers.tiny_gan(attention=False)
    gan.compile()
    images, labels = helpers.images_and_labels(4)
    assert_order(gan, images, labels, passes=2)


@pytest.mark.slow
def test_passes_whose_gradients_are_accumulated_wait_for_each_other():
    gan = helpers.tiny_gan(attention=False)
    gan.compile(gradient_accumulation_steps=2)
    images, labels = helpers.images_and_labels(8)
    assert_order(gan, images, labels, passes=4)


def assert_order(gan, images, labels, passes):
    """Every pass of G but the first needs a gradient of a kernel of the one before."""
    step = tf.function(lambda *x: gan.train_step(x))
    graph = step.get_concrete_function(images, labels).graph
    operations = graph.get_operations()
    norms = [x for x in operations if x.type == "FusedBatchNormV3"]
    each = len(norms) // passes
    assert each * passes == len(norms)
    firsts = norms[::each]
    for before, first in itertools.pairwise(firsts):
        needed = ancestors(first)
        between = operations[operations.index(before) : operations.index(first)]
        kernels = {x for x in between if x.type == "Conv2DBackpropFilter"}
        assert kernels and kernels <= needed


def ancestors(operation):
    """All operations that run before `operation` does."""
    found, waiting = set(), [operation]
    while waiting:
        current = waiting.pop()
        for other in (*(x.op for x in current.inputs), *current.control_inputs):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def test_sums_are_dense():
    row = tf.IndexedSlices(tf.ones((1, 2)), [1], (3, 2))
    (total,) = sum_gradients([[row], [tf.ones((3, 2))]])
    np.testing.assert_array_equal(total, [[1, 1], [2, 2], [1, 1]])
