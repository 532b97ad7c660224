"""Gradient penalties against finite differences, and what they cost.

Against PyTorch, all gradients included, they are in `tests/fidelity`.
"""

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.layers import frozen_spectral_norm
from keras_sagan.models import Discriminator
from keras_sagan.training import penalties
from keras_sagan.training.passes import Batch
from keras_sagan.training.steps import StepSettings
from tests import helpers


@pytest.fixture(autouse=True)
def frozen():
    """As in a step, where `training=True` does not advance spectral norms."""
    with frozen_spectral_norm():
        yield


GAMMAS = [(0.5, 0.25), (0.5, 0), (0, 0.25), (0, 0)]


def networks(**arguments):
    return helpers.tiny_gan(**{"dtype": "float64", **arguments}).discriminator


def batch(num_classes=3, count=3):
    images, labels = helpers.images_and_labels(2 * count)
    images = images / 127.5 - 1
    labels = tf.constant(labels) if num_classes else None
    split = (slice(count), slice(count, None))
    real, fake = (None if labels is None else labels[x] for x in split)
    return Batch(images[:count], real, None, fake), tf.constant(images[count:])


def penalised(discriminator, gammas, num_classes=3):
    settings = StepSettings(r1_gamma=gammas[0], r2_gamma=gammas[1])
    return penalties.discriminate_penalized(
        discriminator, *batch(num_classes), settings
    ), settings


def total(discriminator, gammas):
    (_, _, values), settings = penalised(discriminator, gammas)
    return penalties.weigh(values, settings)


# === Values ===
@pytest.mark.parametrize("num_classes", [None, 3])
def test_the_squared_norm_is_that_of_finite_differences(num_classes):
    """Of the directional derivative along the gradient's own direction."""
    discriminator = networks(num_classes=num_classes)
    x, _ = batch(num_classes)
    images = tf.constant(x.images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits, squares = penalties.logits_and_slopes(discriminator, images, x.labels)
    direction = tape.gradient(logits, images)
    norms = tf.sqrt(squares)[:, None, None, None]

    def at(step):
        moved = images + step * direction / norms
        return penalties.logits_and_slopes(discriminator, moved, x.labels)[0]

    slope = (at(1e-6) - at(-1e-6)) / 2e-6
    np.testing.assert_allclose(slope[:, 0], tf.sqrt(squares), rtol=1e-6)
    # In no direction is it steeper.
    noise = np.random.default_rng(0).normal(size=images.shape)
    projected = np.sum(direction * noise, axis=(1, 2, 3))
    lengths = np.linalg.norm(noise.reshape(3, -1), axis=1)
    assert np.all(np.abs(projected) / lengths < tf.sqrt(squares))


@pytest.mark.parametrize(
    "spectral_norm", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_gradients_by_weights_are_finite_differences(spectral_norm):
    discriminator = Discriminator(
        num_classes=3, base_filters=4, spectral_norm=spectral_norm, dtype="float64"
    )
    discriminator.get_layer("attention_16").gamma.assign(0.5)
    gammas = (0.5, 0.25)
    variables = discriminator.trainable_variables
    with tf.GradientTape() as tape:
        value = total(discriminator, gammas)
    gradients = tape.gradient(value, [v.value for v in variables])
    rng, compared = np.random.default_rng(0), 0
    for variable, gradient in zip(variables, gradients, strict=True):
        direction = rng.normal(size=variable.shape)
        direction *= 1e-6 / np.linalg.norm(direction)
        before, values = np.array(variable), []
        for sign in (1, -1):
            variable.assign(before + sign * direction)
            values.append(float(total(discriminator, gammas)))
        variable.assign(before)
        expected = values[0] - values[1]
        if gradient is None:  # the bias of the head: no image depends on it
            assert expected == 0
            continue
        actual = 2 * np.sum(tf.convert_to_tensor(gradient) * direction)
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-13)
        compared += abs(expected) > 1e-10
    assert compared > 0.6 * len(variables)


@pytest.mark.parametrize("gammas", GAMMAS)
def test_each_penalty_is_the_same_with_and_without_the_other(gammas):
    discriminator = networks(attention=False)
    (real, fake, values), settings = penalised(discriminator, gammas)
    (all_real, all_fake, expected), _ = penalised(discriminator, (1, 1))
    np.testing.assert_allclose(real, all_real, rtol=1e-9)
    np.testing.assert_allclose(fake, all_fake, rtol=1e-9)
    names = penalties.names(settings)
    assert tuple(values) == names
    assert names == tuple(x for x, g in zip(penalties.NAMES, gammas, strict=True) if g)
    for name, value in values.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-9)
    weighed = sum(
        gamma / 2 * float(expected[name])
        for gamma, name in zip(gammas, penalties.NAMES, strict=True)
    )
    assert float(penalties.weigh(values, settings)) == pytest.approx(weighed, 1e-9)
    assert expected["r1_penalty"] > 0 and expected["r2_penalty"] > 0


def test_sums_of_squares_are_float32_under_mixed_bfloat16():
    mixed = networks(dtype="mixed_bfloat16")
    wide = networks(dtype="float32")
    images = tf.cast(batch()[0].images, tf.float32)
    labels = batch()[0].labels
    logits, squares = penalties.logits_and_slopes(mixed, images, labels)
    assert logits.dtype == squares.dtype == tf.float32
    _, expected = penalties.logits_and_slopes(wide, images, labels)
    np.testing.assert_allclose(squares, expected, rtol=0.05)
    rounded = tf.cast(tf.cast(squares, tf.bfloat16), tf.float32)
    assert not np.array_equal(squares, rounded)


def test_chunked_attention_has_the_same_second_derivatives():
    discriminator = networks()
    layer, ends = discriminator.get_layer("attention_16"), []
    variables = [v.value for v in discriminator.trainable_variables]
    for chunk in (None, 48):  # 256 positions: several chunks and a rest
        layer.query_chunk_size = chunk
        with tf.GradientTape() as tape:
            value = total(discriminator, (0.5, 0.25))
        found = tape.gradient(value, variables, unconnected_gradients="zero")
        ends.append([tf.convert_to_tensor(x) for x in found])
    assert any("query" in v.path for v in discriminator.trainable_variables)
    for actual, expected in zip(*ends, strict=True):
        scale = max(np.abs(expected).max(), 1e-6)
        np.testing.assert_allclose(actual, expected, rtol=1e-8, atol=1e-10 * scale)


# === Cost ===
def operations(gammas):
    """Types of the operations in the graph of a training step."""
    gan = helpers.tiny_gan(attention=False)
    gan.compile(**helpers.sgd_pair(), r1_gamma=gammas[0], r2_gamma=gammas[1])
    images, labels = helpers.images_and_labels(4)
    step = tf.function(lambda *x: gan.train_step(x))
    graph = step.get_concrete_function(images, labels).graph
    return [x.type for x in graph.get_operations()]


@pytest.mark.slow
def test_without_penalties_no_second_derivative_is_built():
    """Each pass through D has a gradient of each kernel in the graph.

    Also those that nobody asks for, which do not run: of D's kernels in G's step, and
    in the gradient by images.
    """
    gan = helpers.tiny_gan(attention=False)
    kernels = [
        sum(len(v.shape) == 4 for v in network.trainable_variables)
        for network in (gan.generator, gan.discriminator)
    ]
    plain, one, both = (
        operations(gammas).count("Conv2DBackpropFilter")
        for gammas in [(0, 0), (1, 0), (1, 1)]
    )
    assert plain == kernels[0] + 2 * kernels[1]
    assert both - plain == 2 * kernels[1]  # by images; and of that, by kernels
    assert one - plain == 3 * kernels[1]  # the other half has a pass of its own


@pytest.mark.slow
def test_logs_have_the_penalties_that_are_on():
    gan = helpers.tiny_gan(attention=False)
    images, labels = helpers.images_and_labels(8)
    base = {"loss", "d_loss", "g_loss", "d_real", "d_fake"}
    for gammas, more in [((0, 0), set()), ((0, 1), {"r2_penalty"})]:
        gan.compile(r1_gamma=gammas[0], r2_gamma=gammas[1])
        assert {x.name for x in gan.metrics} == base | more
        history = gan.fit(images, labels, batch_size=4, verbose=0).history
        assert set(history) == base | more
        evaluated = gan.evaluate(images, labels, verbose=0, return_dict=True)
        assert set(evaluated) == base
