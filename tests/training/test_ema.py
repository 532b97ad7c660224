"""The averaged generator against plain formulas."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import SAGAN, sampling
from keras_sagan.layers import frozen_spectral_norm
from keras_sagan.layers.conditional_batch_normalization import (
    ConditionalBatchNormalization,
)
from keras_sagan.layers.spectral_normalization import spectral_norm_layers
from keras_sagan.sampling import Purpose
from keras_sagan.training import ema
from tests import helpers

SEED = 11
BATCH_NORMS = (keras.layers.BatchNormalization, ConditionalBatchNormalization)


def batch_norms(network):
    return [layer for layer in network.layers if isinstance(layer, BATCH_NORMS)]


def train(gan, steps=1):
    images, labels = helpers.images_and_labels(4)
    for _ in range(steps):
        gan.train_step((tf.constant(images), tf.constant(labels)))


def compiled_gan(**arguments):
    gan = helpers.tiny_gan(attention=False)
    gan.compile(**helpers.sgd_pair(), seed=SEED, **arguments)
    return gan


@pytest.fixture(scope="module")
def gan():
    """Averaged weights that are far from those they began with, and not refreshed."""
    gan = compiled_gan()
    rng = np.random.default_rng(0)
    for weight in gan._averaged.averages:
        weight.assign(weight + rng.normal(0, 0.3, weight.shape))
    return gan


def test_starts_as_a_copy_that_does_not_train():
    gan = compiled_gan()
    assert not gan.ema_generator.trainable_weights
    helpers.assert_equal(
        helpers.values(gan.ema_generator.variables),
        helpers.values(gan.generator.variables),
    )
    owned = {id(v) for v in gan.ema_generator.variables}
    assert not owned & {id(v) for v in gan.generator.variables}
    train(gan)
    optimized = (gan.g_optimizer, gan.d_optimizer)
    total = sum(len(optimizer._trainable_variables) for optimizer in optimized)
    assert total == len(gan.trainable_variables)


def test_average_after_steps_is_the_formula():
    gan = compiled_gan(ema_decay=0.75, ema_start=1)
    expected = None
    for step in range(3):
        train(gan)
        weights = helpers.values(gan.generator.trainable_variables)
        if step < 1:
            expected = weights
        pairs = zip(expected, weights, strict=True)
        expected = [0.75 * a + 0.25 * w for a, w in pairs]
    average = helpers.values(gan._averaged.averages)
    for a, b in zip(average, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_a_frozen_layer_keeps_its_weights():
    generator, discriminator = helpers.tiny_networks(3)
    layer = generator.get_layer("block1_conv1")
    layer.trainable = False
    gan = SAGAN(generator, discriminator)
    gan.compile(**helpers.sgd_pair(), ema_decay=0.5)
    before, all_before = (helpers.values(x.weights) for x in (layer, generator))
    train(gan, steps=2)
    others = gan.ema_generator.get_layer("block1_conv1")
    compared = zip(layer.weights, before, others.weights, strict=True)
    kernels = [x for x in compared if x[0].path.endswith("kernel")]
    assert kernels
    for weight, old, average in kernels:
        np.testing.assert_array_equal(weight, old)
        np.testing.assert_allclose(average, old, rtol=1e-6)
    moved = [
        not np.array_equal(weight, old)
        for weight, old in zip(gan.ema_generator.weights, all_before, strict=True)
    ]
    assert sum(moved) > 10


def test_no_averaging_copies():
    gan = compiled_gan(ema_decay=0.0)
    train(gan)
    weights = helpers.values(gan.generator.trainable_variables)
    for a, b in zip(helpers.values(gan._averaged.averages), weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("weights", [None, (5.0, 1.0, 0.0)])
def test_standing_statistics_are_the_mean_of_batch_moments(gan, weights):
    """Over classes as often as in training."""
    gan.compile(**helpers.sgd_pair(), seed=SEED, fake_label_weights=weights)
    gan.refresh_ema()
    network = gan.ema_generator
    layers = batch_norms(network)
    actual = [helpers.values([x.moving_mean, x.moving_variance]) for x in layers]
    inputs = [x.input[0] if isinstance(x.input, list) else x.input for x in layers]
    features = keras.Model(network.inputs, inputs)
    sums = [[0.0, 0.0] for _ in layers]
    network.trainable = True  # or batch norms use their moving statistics
    for index in range(ema.STANDING_BATCHES):
        draw = (SEED, Purpose.STANDING_STATISTICS, index, ema.STANDING_BATCH_SIZE)
        labels = sampling.batch_labels(*draw, 3, weights)
        data = [sampling.batch_latents(*draw, 8), labels]
        with frozen_spectral_norm():
            tensors = features(data, training=True)
        for total, x in zip(sums, tensors, strict=True):
            total[0] = total[0] + np.mean(x, axis=(0, 1, 2), dtype=np.float64)
            total[1] = total[1] + np.var(x, axis=(0, 1, 2), dtype=np.float64)
    network.trainable = False
    for layer, before, total in zip(layers, actual, sums, strict=True):
        layer.moving_mean.assign(before[0])  # that pass moved them
        layer.moving_variance.assign(before[1])
        mean, variance = (x / ema.STANDING_BATCHES for x in total)
        np.testing.assert_allclose(before[0], mean, atol=1e-4 * variance.max() ** 0.5)
        np.testing.assert_allclose(before[1], variance, rtol=1e-4, atol=1e-6)


def test_spectral_norms_are_those_of_the_averaged_kernels(gan):
    live = spectral_norm_layers(gan.generator)
    gan.refresh_ema()
    worst = 0
    for layer, other in zip(spectral_norm_layers(gan.ema_generator), live, strict=True):
        kernel = np.array(layer.layer.kernel)
        matrix = kernel.reshape(-1, kernel.shape[-1])
        largest = np.linalg.svd(matrix, compute_uv=False)[0]
        np.testing.assert_allclose(layer.sigma(), largest, rtol=0.02)
        worst = max(worst, abs(float(other.sigma()) / largest - 1))
    assert worst > 0.1  # those of the live generator would not do


def test_refreshing_again_changes_nothing(gan):
    gan.refresh_ema()
    first = helpers.values(gan.ema_generator.variables)
    gan.refresh_ema()
    helpers.assert_equal(helpers.values(gan.ema_generator.variables), first)
    # Nor does doing the work again.
    gan._statistics.refresh(SEED, gan.fake_label_weights)
    helpers.assert_equal(helpers.values(gan.ema_generator.variables), first)


@pytest.mark.slow
def test_looking_on_the_way_changes_nothing_at_the_end():
    ends = []
    for looks in (True, False):
        gan = compiled_gan(ema_decay=0.5)
        for _ in range(3):
            train(gan)
            if looks:
                gan.refresh_ema()
        gan.refresh_ema()
        ends.append(helpers.values(gan.ema_generator.variables))
    helpers.assert_equal(*ends)


def test_statistics_depend_on_the_seed(gan):
    def statistics(seed):
        gan._statistics.refresh(seed)
        return np.array(batch_norms(gan.ema_generator)[-1].moving_mean)

    assert not np.array_equal(statistics(SEED), statistics(SEED + 1))


@pytest.mark.slow
def test_moments_are_compiled_once():
    gan = compiled_gan()
    for _ in range(2):
        gan._statistics.refresh(SEED, gan.fake_label_weights)
        train(gan)
    (moments,) = gan._statistics._moments.values()
    assert moments.experimental_get_tracing_count() == 1


def test_momentum_is_put_back(gan):
    momenta = [layer.momentum for layer in batch_norms(gan.ema_generator)]
    gan._statistics.refresh(SEED, gan.fake_label_weights)
    assert [layer.momentum for layer in batch_norms(gan.ema_generator)] == momenta
    assert set(momenta) == {0.999}


def is_refreshed(gan):
    """Whether the next use of the averaged generator re-estimates its statistics."""
    mark = batch_norms(gan.ema_generator)[0].moving_mean
    mark.assign(mark + 1000)
    gan.generate(labels=[0])
    found = np.abs(np.array(mark)).max() < 500
    if not found:
        mark.assign(mark - 1000)
    return found


@pytest.mark.slow
def test_statistics_are_refreshed_after_training_only(tmp_path):
    gan = compiled_gan()
    assert is_refreshed(gan)
    assert not is_refreshed(gan)
    train(gan)
    assert is_refreshed(gan)
    assert not is_refreshed(gan)
    gan.save(tmp_path / "gan.keras")
    images = gan.generate(labels=[0, 1])
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert not is_refreshed(loaded)
    np.testing.assert_array_equal(loaded.generate(labels=[0, 1]), images)
    train(loaded)
    assert is_refreshed(loaded)


@pytest.mark.slow
def test_statistics_are_refreshed_for_another_mix_of_classes(tmp_path):
    gan = compiled_gan()
    gan.refresh_ema()
    gan.compile()  # the same mix
    assert not is_refreshed(gan)
    gan.compile(fake_label_weights=[1, 2, 3])
    assert is_refreshed(gan)
    assert not is_refreshed(gan)
    gan.save(tmp_path / "gan.keras")
    for compiled in (True, False):  # one that does not know its mix keeps it
        loaded = keras.saving.load_model(tmp_path / "gan.keras", compile=compiled)
        assert not is_refreshed(loaded)


def test_generation_leaves_the_live_networks_alone():
    gan = compiled_gan()
    train(gan)
    live = gan.generator.variables + gan.discriminator.variables
    before = helpers.values(live)
    average = helpers.values(gan._averaged.averages)
    gan.generate(labels=[0, 1])
    gan.evaluate(*helpers.images_and_labels(4), verbose=0)
    helpers.assert_equal(helpers.values(live), before)
    helpers.assert_equal(helpers.values(gan._averaged.averages), average)


def test_unconditional_statistics():
    gan = helpers.tiny_gan(None, attention=False)
    gan.refresh_ema()
    moving = helpers.values([x.moving_variance for x in batch_norms(gan.ema_generator)])
    assert all(np.isfinite(x).all() and not np.allclose(x, 1) for x in moving)


def test_fingerprint_sees_one_bit_and_the_order():
    one, two = keras.Variable([1.0, 2.0]), keras.Variable([3.0, 4.0])
    values = {int(ema.fingerprint(x)) for x in ([one, two], [two, one], [one, one])}
    one.assign([1.0, np.nextafter(np.float32(2), np.float32(3))])
    values.add(int(ema.fingerprint([one, two])))
    values.add(int(ema.fingerprint([keras.Variable([1.0, 2.0], dtype="float64")])))
    assert len(values) == 5


def test_the_compiled_fingerprint_sees_every_change():
    gan = helpers.tiny_gan(attention=False)
    averages = gan._averaged.averages
    found = set()
    for average in averages[:3]:
        found.add(gan._averaged.fingerprint())
        assert gan._averaged.fingerprint() == int(ema.fingerprint(averages))
        average.assign(average.value + 1)
    assert len(found) == 3


@pytest.mark.parametrize("dtype", ["bfloat16", "mixed_bfloat16"])
def test_copy_of_a_low_precision_generator_is_float32(dtype):
    network, _ = helpers.tiny_networks(attention=False, dtype=dtype)
    copy, averaged = ema.averaged_copy(network)
    averages, weights = averaged.averages, averaged.weights
    assert copy.dtype_policy.name == "float32"
    assert [v.path.split("/")[1:] for v in averages] == [
        v.path.split("/")[1:] for v in weights
    ]
    helpers.assert_equal(helpers.values(averages), helpers.values(weights))


@pytest.mark.slow
def test_a_model_of_bfloat16_weights_trains_and_generates():
    gan = helpers.tiny_gan(dtype="bfloat16")
    gan.compile(**helpers.sgd_pair())
    train(gan)
    assert gan.generate([0, 1]).std() > 1


def test_both_statistics():
    gan = helpers.tiny_gan()
    gan.refresh_ema()
    before = helpers.values(gan.ema_generator.weights)
    stored, of_batch = ema.with_both_statistics(gan, 12)
    helpers.assert_equal(helpers.values(gan.ema_generator.weights), before)
    expected = gan.generate(labels=np.arange(12) % 3, seed=0)
    helpers.assert_same_pixels(np.rint((stored + 1) * 127.5).astype(np.uint8), expected)
    usual = np.abs(stored - of_batch).mean()
    assert 0 < usual < 0.5
    for layer in gan.ema_generator.layers:
        if isinstance(layer, ConditionalBatchNormalization):
            layer.moving_variance.assign(layer.moving_variance * 9)
    worse, same = ema.with_both_statistics(gan, 12)
    for variable, value in zip(gan.ema_generator.weights, before, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(same, of_batch)
    assert np.abs(worse - same).mean() > 2 * usual


@pytest.mark.slow
def test_both_statistics_are_of_the_mix_of_training():
    gan = helpers.tiny_gan(attention=False)
    gan.compile(fake_label_weights=[0, 0, 1])
    stored, _ = ema.with_both_statistics(gan, 3)
    expected = gan.generate(labels=[2, 2, 2], seed=0)
    helpers.assert_same_pixels(np.rint((stored + 1) * 127.5).astype(np.uint8), expected)


@pytest.mark.parametrize(
    "how", ["load_weights", pytest.param("set_weights", marks=pytest.mark.slow)]
)
def test_weights_given_to_the_generator_are_those_of_its_images(how, tmp_path):
    gan, other = helpers.tiny_gan(), helpers.tiny_gan()
    for network in (other.generator, other.ema_generator):
        for weight in network.trainable_variables or network.weights:
            if weight.name == "kernel":
                weight.assign(-weight)
    gan.generate([0, 1, 2])
    if how == "load_weights":
        path = tmp_path / "other.weights.h5"
        other.generator.save_weights(path)
        gan.generator.load_weights(path)
    else:
        gan.generator.set_weights(other.generator.get_weights())
    helpers.assert_same_pixels(gan.generate([0, 1, 2]), other.generate([0, 1, 2]))


def test_weights_given_to_the_model_keep_its_averages(tmp_path):
    gan = helpers.tiny_gan()
    gan.ema_generator.weights[0].assign(gan.ema_generator.weights[0] * 2.0)
    gan.save_weights(tmp_path / "gan.weights.h5")
    for load in (
        lambda x: x.load_weights(tmp_path / "gan.weights.h5"),
        lambda x: x.set_weights(gan.get_weights()),
    ):
        other = helpers.tiny_gan()
        load(other)
        averages = [x._averaged.averages for x in (gan, other)]
        helpers.assert_equal(*map(helpers.values, averages))
