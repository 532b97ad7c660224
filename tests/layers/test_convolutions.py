"""Fused resampling convolutions against their two-step form in stock layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.layers import DownsampleConv2D, UpsampleConv2D, convolutions

SIZES = [(2, 2), (4, 6), (8, 2), (2, 10), (6, 6)]


def images(height, width, channels=3):
    rng = np.random.default_rng(0)
    return tf.constant(rng.normal(size=(2, height, width, channels)))


def two_steps(layer):
    """The same function as stock Keras layers, with the weights of `layer`."""
    conv = keras.layers.Conv2D(
        layer.filters,
        layer.kernel_size,
        padding="same",
        use_bias=layer.use_bias,
        dtype="float64",
    )
    if isinstance(layer, UpsampleConv2D):
        steps = [keras.layers.UpSampling2D(2, dtype="float64"), conv]
    else:
        steps = [conv, keras.layers.AveragePooling2D(2, dtype="float64")]

    def call(x):
        for step in steps:
            x = step(x)
        return x

    conv.build((None, None, None, layer.kernel.shape[2]))
    conv.set_weights(layer.get_weights())
    return call, conv


def make(cls, kernel_size, height, width, **kwargs):
    layer = cls(4, kernel_size, dtype="float64", **kwargs)
    layer.build((None, height, width, 3))
    rng = np.random.default_rng(3)
    for variable in layer.variables:
        variable.assign(rng.normal(size=variable.shape))
    return layer


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cls", [UpsampleConv2D, DownsampleConv2D])
def test_equals_the_two_steps_borders_included(cls, size, kernel_size):
    layer = make(cls, kernel_size, *size)
    reference, _ = two_steps(layer)
    x = images(*size)
    outputs = layer(x)
    np.testing.assert_allclose(outputs, reference(x), rtol=1e-12, atol=1e-12)
    assert layer.compute_output_shape(x.shape) == outputs.shape


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("cls", [UpsampleConv2D, DownsampleConv2D])
def test_gradients_equal_those_of_the_two_steps(cls, kernel_size):
    layer, x = make(cls, kernel_size, 4, 6), images(4, 6)
    reference, conv = two_steps(layer)
    results = []
    for function, owner in [(layer, layer), (reference, conv)]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = function(x)
            weights = np.random.default_rng(1).normal(size=outputs.shape)
            loss = tf.reduce_sum(outputs * weights)
        sources = [x, owner.kernel.value, owner.bias.value]
        results.append(tape.gradient(loss, sources))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("cls", [UpsampleConv2D, DownsampleConv2D])
def test_kernel_and_bias_have_the_shapes_of_a_plain_convolution(cls):
    layer = make(cls, 3, 4, 4)
    assert layer.kernel.shape == (3, 3, 3, 4)
    assert layer.bias.shape == (4,)
    assert make(cls, 3, 4, 4, use_bias=False).bias is None
    assert len(make(cls, 3, 4, 4, use_bias=False).variables) == 1


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (7, 2)])
def test_upsampling_takes_odd_sizes(size):
    layer = make(UpsampleConv2D, 3, *size)
    reference, _ = two_steps(layer)
    x = images(*size)
    np.testing.assert_allclose(layer(x), reference(x), rtol=1e-12, atol=1e-12)


def test_upsampling_takes_sizes_that_are_not_known():
    layer = UpsampleConv2D(4, dtype="float64")
    inputs = keras.Input((None, None, 3), dtype="float64")
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, None, None, 4)
    x = images(3, 4)
    np.testing.assert_allclose(model(x), two_steps(layer)[0](x), rtol=1e-12)


@pytest.mark.parametrize("size", [(3, 4), (4, 5), (None, 4), (4, None)])
def test_downsampling_refuses_odd_and_unknown_sizes(size):
    with pytest.raises(ValueError, match="must be known and even") as error:
        DownsampleConv2D(4).build((None, *size, 3))
    assert f"Received: input shape (None, {size[0]}, {size[1]}, 3)" in str(error.value)


def test_downsampling_refuses_an_odd_size_after_it_was_built():
    layer = make(DownsampleConv2D, 3, 4, 4)
    with pytest.raises(ValueError, match=r"must be known and even.*\(2, 5, 4, 3\)"):
        layer(images(5, 4))


@pytest.mark.parametrize("kernel_size", [0, 2, 4, -1, 3.0, (3, 3), True])
@pytest.mark.parametrize("cls", [UpsampleConv2D, DownsampleConv2D])
def test_only_odd_kernels_are_taken(cls, kernel_size):
    with pytest.raises(
        ValueError, match=r"`kernel_size` must be (odd|an integer > 0)"
    ) as e:
        cls(4, kernel_size)
    assert f"Received: kernel_size={kernel_size!r}" in str(e.value)


@pytest.mark.parametrize("filters", [0, -2, 4.0, None])
@pytest.mark.parametrize("cls", [UpsampleConv2D, DownsampleConv2D])
def test_bad_filters(cls, filters):
    with pytest.raises(ValueError, match=rf"`filters` must .*filters={filters!r}\."):
        cls(filters)


@pytest.mark.parametrize("cls", [UpsampleConv2D, DownsampleConv2D])
def test_kernels_are_glorot_uniform_like_those_of_keras(cls):
    layer = cls(64)
    layer.build((None, 4, 4, 32))
    limit = np.sqrt(6 / (9 * (32 + 64)))
    kernel = np.array(layer.kernel)
    assert limit * 0.99 < np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)


def test_nearest_upsampling_repeats_pixels():
    x = images(3, 5)
    outputs = convolutions.nearest_upsample(x)
    assert outputs.shape == (2, 6, 10, 3)
    np.testing.assert_array_equal(outputs, np.repeat(np.repeat(x, 2, 1), 2, 2))


def test_average_pooling_takes_means_of_four():
    x = np.array(images(4, 6))
    expected = x.reshape(2, 2, 2, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(convolutions.average_pool(x), expected, rtol=1e-14)


def test_downsampling_kernel():
    kernel = np.arange(1.0, 5.0).reshape(2, 2, 1, 1)
    expected = [[1, 3, 2], [4, 10, 6], [3, 7, 4]]
    np.testing.assert_array_equal(
        4 * np.array(convolutions.downsampling_kernel(kernel))[:, :, 0, 0], expected
    )


def test_upsampling_kernel():
    kernel = np.arange(1.0, 9.0).reshape(2, 2, 1, 2)  # 1, 3, 5, 7; 2, 4, 6, 8
    found = np.array(convolutions.upsampling_kernel(kernel))
    assert found.shape == (3, 3, 2, 1)
    expected = [[7, 12, 5], [10, 16, 6], [3, 4, 1]]
    np.testing.assert_array_equal(found[:, :, 0, 0], expected)
    expected = [[8, 14, 6], [12, 20, 8], [4, 6, 2]]
    np.testing.assert_array_equal(found[:, :, 1, 0], expected)


def test_a_bias_of_one_channel_is_not_taken_for_one_of_rows():
    """As many images as the height: fused so, oneDNN fails in bfloat16."""
    layer = convolutions.Conv2D(1, 3, padding="same")

    @tf.function
    def call(images):
        return layer(images, training=True)

    graph = call.get_concrete_function(tf.TensorSpec((8, 8, 8, 2))).graph
    additions = {op.type for op in graph.get_operations()} & {"BiasAdd", "AddV2"}
    assert additions == {"AddV2"}
