"""Conditional batch normalisation, by hand in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.layers import ConditionalBatchNormalization

LABELS = np.array([2, 0, 2, 1], "int32")
SHAPE = (4, 3, 5, 6)  # batch, height, width, channels


def images(seed=0, mean=1.5, scale=2.0):
    return np.random.default_rng(seed).normal(mean, scale, SHAPE)


def make(dtype="float64", **kwargs):
    """A built layer whose tables and statistics are all different."""
    layer = ConditionalBatchNormalization(3, dtype=dtype, **kwargs)
    layer.build([SHAPE, (4,)])
    rng = np.random.default_rng(5)
    for variable in layer.variables:
        variable.assign(rng.uniform(0.5, 2.0, variable.shape))
    return layer


def by_hand(layer, x, mean, variance):
    outputs = np.zeros_like(x)
    for i, label in enumerate(LABELS):
        gamma, beta = np.array(layer.gamma)[label], np.array(layer.beta)[label]
        outputs[i] = gamma * (x[i] - mean) / np.sqrt(variance + layer.epsilon) + beta
    return outputs


def moments(x):
    mean = x.mean(axis=(0, 1, 2))
    return mean, ((x - mean) ** 2).mean(axis=(0, 1, 2))


@pytest.mark.parametrize("epsilon", [1e-5, 0.3])
def test_training_uses_the_moments_of_the_batch(epsilon):
    layer, x = make(epsilon=epsilon), images()
    expected = by_hand(layer, x, *moments(x))
    outputs = layer([x, LABELS], training=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-10, atol=1e-12)


def test_inference_uses_the_moving_statistics():
    layer, x = make(), images()
    mean, variance = np.array(layer.moving_mean), np.array(layer.moving_variance)
    expected = by_hand(layer, x, mean, variance)
    np.testing.assert_allclose(layer([x, LABELS]), expected, rtol=1e-10)
    np.testing.assert_allclose(layer([x, LABELS], training=False), expected, rtol=1e-10)
    np.testing.assert_array_equal(layer.moving_mean, mean)
    np.testing.assert_array_equal(layer.moving_variance, variance)


@pytest.mark.parametrize("momentum", [0.0, 0.9, 0.999])
def test_moving_statistics(momentum):
    layer = make(momentum=momentum)
    mean, variance = np.array(layer.moving_mean), np.array(layer.moving_variance)
    for seed in range(3):
        x = images(seed)
        layer([x, LABELS], training=True)
        batch_mean, batch_variance = moments(x)  # biased, as Keras's
        mean = momentum * mean + (1 - momentum) * batch_mean
        variance = momentum * variance + (1 - momentum) * batch_variance
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-10)
    np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-10)


def test_starts_as_plain_normalisation():
    layer, x = ConditionalBatchNormalization(3, dtype="float64"), images()
    plain = keras.layers.BatchNormalization(epsilon=1e-5, dtype="float64")
    np.testing.assert_allclose(
        layer([x, LABELS], training=True), plain(x, training=True), rtol=1e-9
    )
    np.testing.assert_array_equal(layer.gamma, np.ones((3, 6)))
    np.testing.assert_array_equal(layer.beta, np.zeros((3, 6)))
    assert [v.name for v in layer.non_trainable_variables] == [
        "moving_mean",
        "moving_variance",
    ]


def test_gradients_equal_those_of_the_plain_layer():
    """With one class: to the input (through the moments), scale and offset."""
    layer = ConditionalBatchNormalization(1, dtype="float64")
    plain = keras.layers.BatchNormalization(epsilon=1e-5, dtype="float64")
    labels, x = np.zeros(4, "int32"), tf.constant(images())
    weights = np.random.default_rng(1).normal(size=SHAPE)
    results = []
    for norm, inputs in [(layer, [x, labels]), (plain, x)]:
        norm(inputs)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(norm(inputs, training=True) * weights)
        sources = [x, norm.gamma.value, norm.beta.value]
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, sources)]
        results.append([np.reshape(g, (-1, 6)) for g in gradients])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


def test_classes_that_do_not_occur_get_no_gradient():
    layer, x = make(), images()
    labels = np.array([2, 0, 2, 0], "int32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer([x, labels], training=True) ** 2)
    gradient = np.array(tf.convert_to_tensor(tape.gradient(loss, layer.gamma.value)))
    np.testing.assert_array_equal(gradient[1], np.zeros(6))
    assert np.abs(gradient[[0, 2]]).min() > 0


def test_a_frozen_layer_runs_in_inference_mode():
    layer, x = make(), images()
    expected = layer([x, LABELS], training=False)
    layer.trainable = False
    np.testing.assert_array_equal(layer([x, LABELS], training=True), expected)


@pytest.mark.parametrize("synchronized", [False, True])
def test_statistics_are_float32_under_mixed_bfloat16(synchronized):
    layer = make("mixed_bfloat16", momentum=0.0, synchronized=synchronized)
    x = tf.cast(images(mean=20.0), tf.bfloat16)  # bfloat16 steps are 0.125 here
    outputs = layer([x, LABELS], training=True)
    assert outputs.dtype == "bfloat16"
    assert {v.dtype for v in layer.variables} == {"float32"}
    exact = np.array(x, "float64")
    mean, variance = moments(exact)
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-4)
    # One rounding, of the output.
    np.testing.assert_allclose(
        np.array(outputs, "float64"),
        by_hand(layer, exact, mean, variance),
        rtol=2**-8,
        atol=1e-3,
    )


# === Replicas ===
def run_on_two_replicas(layer_arguments, x):
    # Collectives of several strategies in one process get into each other's way.
    strategy = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        layer = ConditionalBatchNormalization(3, dtype="float64", **layer_arguments)
        layer.build([SHAPE, (4,)])

    def values(context):
        half = slice(2 * context.replica_id_in_sync_group, None)
        rows = slice(half.start, half.start + 2)
        return tf.constant(x[rows]), tf.constant(LABELS[rows])

    inputs = strategy.experimental_distribute_values_from_function(values)
    outputs = strategy.run(lambda data: layer(list(data), training=True), [inputs])
    outputs = tf.concat(strategy.experimental_local_results(outputs), axis=0)
    means = strategy.experimental_local_results(layer.moving_mean.value)
    return np.array(outputs), [np.array(mean) for mean in means]


@pytest.mark.distributed
def test_synchronized_moments_are_those_of_the_global_batch():
    x = images()
    outputs, means = run_on_two_replicas({"synchronized": True, "momentum": 0.0}, x)
    alone = ConditionalBatchNormalization(3, momentum=0.0, dtype="float64")
    np.testing.assert_allclose(
        outputs, alone([x, LABELS], training=True), rtol=1e-9, atol=1e-12
    )
    for mean in means:
        np.testing.assert_allclose(mean, moments(x)[0], rtol=1e-10)


@pytest.mark.distributed
def test_other_moments_are_those_of_the_replicas_batch():
    x = images()
    outputs, means = run_on_two_replicas({"momentum": 0.0}, x)
    for i, mean in enumerate(means):
        alone = ConditionalBatchNormalization(3, dtype="float64")
        rows = slice(2 * i, 2 * i + 2)
        expected = alone([x[rows], LABELS[rows]], training=True)
        np.testing.assert_allclose(outputs[rows], expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(mean, moments(x[rows])[0], rtol=1e-10)


# === Arguments ===
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_labels_of_any_integer_type(dtype):
    layer, x = make(), images()
    np.testing.assert_array_equal(layer([x, LABELS.astype(dtype)]), layer([x, LABELS]))


@pytest.mark.parametrize("dtype", ["float32", "bool"])
def test_labels_must_be_integers(dtype):
    layer = make("float32")
    with pytest.raises(ValueError, match=f"`labels` must be integers.*{dtype}"):
        layer([images(), tf.cast(LABELS, dtype)])


def test_labels_must_be_integers_in_a_functional_model():
    with pytest.raises(ValueError, match=r"`labels` must be integers.*float32"):
        ConditionalBatchNormalization(3)([keras.Input((3, 5, 6)), keras.Input(())])


@pytest.mark.parametrize("shape", [(4, 1), ()])
def test_labels_must_be_one_a_sample(shape):
    labels = np.zeros(shape, "int32")
    with pytest.raises(ValueError, match=r"`labels` must have shape \(batch,\)") as e:
        make()([images(), labels])
    assert f"Received: labels of shape {shape}" in str(e.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_classes", 0),
        ("num_classes", None),
        ("momentum", 1.0),
        ("momentum", -0.1),
        ("epsilon", 0.0),
    ],
)
def test_bad_arguments(name, value):
    arguments = {"num_classes": 3, name: value}
    with pytest.raises(ValueError, match=rf"`{name}` must be .*{name}={value!r}\."):
        ConditionalBatchNormalization(**arguments)
