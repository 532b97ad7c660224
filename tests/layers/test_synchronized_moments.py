import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.layers.batch_normalization import synchronized_moments

# 62 samples on one or two replicas; the mean is large compared with the deviation.
IMAGES = np.random.default_rng(0).normal(3, 1, (62, 8, 8, 5)).astype("float32")


def on_replicas(count, function):
    """What a function of a replica's share of `IMAGES` returns on the first one."""
    strategy = tf.distribute.MirroredStrategy(
        [f"CPU:{i}" for i in range(count)],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )
    shares = iter(np.split(IMAGES, count))
    values = strategy.experimental_distribute_values_from_function(
        lambda _: tf.constant(next(shares))
    )
    results = tf.function(lambda x: strategy.run(function, [x]))(values)
    return [
        [np.array(y) for y in strategy.experimental_local_results(x)] for x in results
    ]


@pytest.mark.distributed
def test_the_same_bits_however_the_batch_is_split():
    (mean,), (variance,) = on_replicas(1, synchronized_moments)
    np.testing.assert_allclose(mean, IMAGES.mean(axis=(0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(variance, IMAGES.var(axis=(0, 1, 2)), rtol=1e-5)
    assert mean.dtype == variance.dtype == np.float32
    means, variances = on_replicas(2, synchronized_moments)
    for found, expected in [(means, mean), (variances, variance)]:
        for replica in found:
            np.testing.assert_array_equal(replica, expected)


@pytest.mark.distributed
def test_gradients_are_those_of_the_whole_batch():
    weights = np.random.default_rng(1).normal(size=IMAGES.shape).astype("float32")

    def gradient(moments):
        def function(x, w):
            with tf.GradientTape() as tape:
                tape.watch(x)
                mean, variance = moments(x)
                loss = tf.reduce_sum(w * (x - mean) / tf.sqrt(variance + 1e-5))
            return tape.gradient(loss, x)

        return function

    expected = gradient(lambda x: tf.nn.moments(x, [0, 1, 2]))(
        tf.constant(IMAGES), tf.constant(weights)
    )

    def share(x):
        context = tf.distribute.get_replica_context()
        start = context.replica_id_in_sync_group * len(x)
        w = tf.constant(weights)[start : start + len(x)]
        return [gradient(synchronized_moments)(x, w)]

    (parts,) = on_replicas(2, share)
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-3, atol=1e-4)


def test_a_constant_has_no_negative_variance():
    _, variance = synchronized_moments(tf.fill((2, 3, 3, 1), 1e4))
    assert float(variance[0]) >= 0
