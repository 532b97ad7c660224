"""One operation for batch norm: the same numbers as separate ones."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.layers import ConditionalBatchNormalization
from keras_sagan.layers.batch_normalization import BatchNormalization, batch_normalizer
from keras_sagan.training import passes
from keras_sagan.training.fused_batch_normalization import fused_batch_normalization
from tests import helpers

OPERATION = "FusedBatchNormV3"
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(3, 1, (6, 8, 8, 5)).astype("float32")
UPSTREAM = RNG.normal(size=IMAGES.shape).astype("float32")
LABELS = np.array([0, 1, 1, 0, 2, 2])


def results(layer, inputs, fused):
    """Outputs, gradients and moving statistics of a training pass."""
    for weight in layer.weights[2:]:
        weight.assign(tf.zeros_like(weight))
    x = tf.constant(IMAGES, layer.compute_dtype)
    scope = batch_normalizer(fused_batch_normalization if fused else None)
    with tf.GradientTape() as tape, scope:
        tape.watch(x)
        outputs = layer(inputs(x), training=True)
    sources = [x, layer.gamma.value, layer.beta.value]
    gradients = tape.gradient(outputs, sources, tf.constant(UPSTREAM, outputs.dtype))
    moving = [layer.moving_mean.value, layer.moving_variance.value]
    tensors = [outputs, *map(tf.convert_to_tensor, gradients), *moving]
    return [tf.cast(t, tf.float64).numpy() for t in tensors]


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 2e-2)]
)
@pytest.mark.parametrize("conditional", [False, True])
def test_outputs_gradients_and_statistics(conditional, dtype, tolerance):
    if conditional:
        layer = ConditionalBatchNormalization(3, momentum=0.5, dtype=dtype)
        layer.build([IMAGES.shape, LABELS.shape])
        inputs = lambda x: [x, LABELS]  # noqa: E731
    else:
        layer = BatchNormalization(momentum=0.5, dtype=dtype)
        layer.build(IMAGES.shape)
        inputs = lambda x: x  # noqa: E731
    layer.gamma.assign(np.random.default_rng(1).normal(1, 0.3, layer.gamma.shape))
    layer.beta.assign(np.random.default_rng(2).normal(0, 0.3, layer.beta.shape))
    pairs = zip(
        results(layer, inputs, fused=True),
        results(layer, inputs, fused=False),
        strict=True,
    )
    for actual, expected in pairs:
        scale = np.abs(expected).max()
        np.testing.assert_allclose(actual, expected, atol=tolerance * scale)


@pytest.mark.parametrize("rows", [False, True])
def test_the_variance_is_the_biased_one(rows):
    ones = tf.ones((6, 5) if rows else 5)
    _, mean, variance = fused_batch_normalization(tf.constant(IMAGES), ones, ones, 1e-5)
    np.testing.assert_allclose(mean, IMAGES.mean(axis=(0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(variance, IMAGES.var(axis=(0, 1, 2)), rtol=1e-4)


def test_float64_is_left_to_separate_operations():
    ones = tf.ones(5)
    assert fused_batch_normalization(tf.cast(IMAGES, "float64"), ones, ones, 1) is None


def test_rows_of_scales_and_offsets_against_float64():
    rng = np.random.default_rng(3)
    scale, offset = rng.normal(1, 0.3, (2, 6, 5))
    x, upstream = IMAGES.astype("float64"), UPSTREAM.astype("float64")

    def expected(x, scale, offset):
        mean, variance = tf.nn.moments(x, (0, 1, 2))
        normalized = (x - mean) * tf.math.rsqrt(variance + 1e-3)
        return normalized * scale[:, None, None] + offset[:, None, None]

    def actual(x, scale, offset):
        return fused_batch_normalization(x, scale, offset, 1e-3)[0]

    found = []
    for function, dtype in ((expected, tf.float64), (actual, tf.float32)):
        inputs = [tf.constant(v, dtype) for v in (x, scale, offset)]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = function(*inputs)
        gradients = tape.gradient(outputs, inputs, tf.constant(upstream, dtype))
        found.append([outputs, *gradients])
    for right, value in zip(*found, strict=True):
        error = np.abs(tf.cast(value, tf.float64) - right).max()
        assert error < 1e-5 * np.abs(right).max()


def test_rows_keep_no_second_tensor_for_the_backward_pass():
    """The gradient reads `x`, not what was normalised."""

    @tf.function
    def run(x, scale, offset, upstream):
        with tf.GradientTape() as tape:
            tape.watch([x, scale])
            outputs, _, _ = fused_batch_normalization(x, scale, offset, 1e-3)
        return tape.gradient(outputs, [x, scale], upstream)

    rows = tf.TensorSpec((6, 5))
    images = tf.TensorSpec(IMAGES.shape)
    graph = run.get_concrete_function(images, rows, rows, images).graph
    forward = next(op for op in graph.get_operations() if op.type == OPERATION)
    assert [op.type for op in forward.outputs[0].consumers()] == ["Mul"]  # forwards


@pytest.mark.slow
@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize("synchronized", [False, True])
def test_training_steps_use_it_unless_synchronized(num_classes, synchronized):
    gan = helpers.tiny_gan(num_classes, attention=False, synchronized=synchronized)
    gan.compile()
    images, labels = helpers.images_and_labels(4)
    data = (images,) if num_classes is None else (images, labels)
    step = tf.function(lambda *x: gan.train_step(x)).get_concrete_function(*data)
    found = {operation.type for operation in step.graph.get_operations()}
    assert (OPERATION in found) == (not synchronized)


def test_a_step_makes_the_changes_of_separate_operations(monkeypatch):
    ends = []
    for fused in (True, False):
        if not fused:
            monkeypatch.setattr(passes, "fused_batch_normalization", None)
        gan = helpers.tiny_gan(attention=False)
        gan.compile(keras.optimizers.SGD(1e-3), keras.optimizers.SGD(1e-3))
        images, labels = helpers.images_and_labels(16)
        start = helpers.values(gan.generator.variables)
        gan.train_step((tf.constant(images), tf.constant(labels)))
        ends.append(helpers.values(gan.generator.variables))
    helpers.assert_same_change(start, *ends, tolerance=1e-3, least=1e-4)
