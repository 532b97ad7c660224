"""The training step against one written out by hand, in float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.layers import frozen_spectral_norm
from keras_sagan.layers.spectral_normalization import spectral_norm_layers
from keras_sagan.sampling import Purpose
from keras_sagan.training import ema, networks, steps
from keras_sagan.training.ema import Averages
from keras_sagan.training.passes import Batch
from keras_sagan.training.steps import StepSettings
from tests import helpers

RATE = 2.0**-8  # exact in the float32 of an optimizer's rate
SEED = 7

HAND_WRITTEN_LOSSES = {
    "hinge": (
        lambda real, fake: tf.nn.relu(1 - real) + tf.nn.relu(1 + fake),
        lambda real, fake: -fake,
    ),
    "non_saturating": (
        lambda real, fake: -tf.math.log_sigmoid(real) - tf.math.log_sigmoid(-fake),
        lambda real, fake: -tf.math.log_sigmoid(fake),
    ),
    "least_squares": (
        lambda real, fake: 0.5 * (real - 1) ** 2 + 0.5 * fake**2,
        lambda real, fake: 0.5 * (fake - 1) ** 2,
    ),
    "wasserstein": (lambda real, fake: fake - real, lambda real, fake: -fake),
    "relativistic": (
        lambda real, fake: -tf.math.log_sigmoid(real - fake),
        lambda real, fake: -tf.math.log_sigmoid(fake - real),
    ),
}


class HandWrittenStep:
    """The same training with nothing shared but the layers and the random draws.

    Plain gradient descent, a pass of D for the real images and one for the others,
    power iteration in NumPy, a penalty for each image by itself.
    """

    def __init__(self, gan, loss, discriminator_steps, accumulation, gammas=(0, 0)):
        self.gan = gan
        self.loss = HAND_WRITTEN_LOSSES[loss]
        self.shared_labels = loss == "relativistic"
        self.gammas = gammas
        self.discriminator_steps = discriminator_steps
        self.accumulation = accumulation

    def __call__(self, images, labels, step):
        images = tf.constant(images / np.float32(127.5) - np.float32(1))
        labels = tf.constant(labels)
        parts = self.discriminator_steps * self.accumulation
        latents, drawn = self.draw(Purpose.DISCRIMINATOR_STEP, step, len(images))
        columns = [images, labels, latents, labels if self.shared_labels else drawn]
        real = [[column[i::parts] for column in columns] for i in range(parts)]
        for j in range(self.discriminator_steps):
            last = real[j * self.accumulation : (j + 1) * self.accumulation]
            self.update_discriminator(last)
        count = len(images) // self.discriminator_steps
        latents, drawn = self.draw(Purpose.GENERATOR_STEP, step, count)
        self.update_generator(
            [
                (
                    *last[i][:2],
                    latents[i :: self.accumulation],
                    last[i][1] if self.shared_labels else drawn[i :: self.accumulation],
                )
                for i in range(self.accumulation)
            ]
        )

    def draw(self, purpose, step, count):
        return (
            sampling.batch_latents(SEED, purpose, step, count, 8),
            sampling.batch_labels(SEED, purpose, step, count, 3),
        )

    def update_discriminator(self, batches):
        network, total = self.gan.discriminator, None
        numpy_power_iteration(network)
        for images, labels, latents, fake_labels in batches:
            fakes = self.fakes(latents, fake_labels)
            with tf.GradientTape() as tape:
                real = network([images, labels], training=False)
                fake = network([fakes, fake_labels], training=False)
                loss = tf.reduce_mean(self.loss[0](real, fake))
                for gamma, x, y in zip(
                    self.gammas, (images, fakes), (labels, fake_labels), strict=True
                ):
                    if gamma:
                        loss += gamma / 2 * self.penalty(tf.cast(x, tf.float64), y)
            total = added(total, tape.gradient(loss, network.trainable_variables))
        self.descend(network, total)

    def penalty(self, images, labels):
        squares = []
        for i in range(len(images)):
            x = images[i : i + 1]
            with tf.GradientTape() as tape:
                tape.watch(x)
                logit = self.gan.discriminator([x, labels[i : i + 1]], training=False)
            squares.append(tf.reduce_sum(tape.gradient(logit, x) ** 2))
        return tf.add_n(squares) / len(squares)

    def update_generator(self, batches):
        network, total = self.gan.generator, None
        numpy_power_iteration(network)
        for images, real_labels, latents, labels in batches:
            with tf.GradientTape() as tape:
                fakes = self.fakes(latents, labels)
                fake = self.gan.discriminator([fakes, labels], training=False)
                real = self.gan.discriminator([images, real_labels], training=False)
                loss = tf.reduce_mean(self.loss[1](real, fake))
            total = added(total, tape.gradient(loss, network.trainable_variables))
        self.descend(network, total)

    def fakes(self, latents, labels):
        with frozen_spectral_norm():
            return self.gan.generator([latents, labels], training=True)

    def descend(self, network, total):
        for weight, gradient in zip(network.trainable_variables, total, strict=True):
            weight.assign_sub(RATE * gradient / self.accumulation)


def added(total, gradients):
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
    if total is None:
        return dense
    return [a + b for a, b in zip(total, dense, strict=True)]


def numpy_power_iteration(network, iterations=1):
    """Advance every vector pair; the kernel as (rest, out), see DESIGN of torch."""
    for layer in spectral_norm_layers(network):
        if isinstance(layer.layer, keras.layers.Embedding):
            matrix = np.array(layer.layer.embeddings).T
        else:
            kernel = np.array(layer.layer.kernel)
            matrix = kernel.reshape(-1, kernel.shape[-1])
        u = np.array(layer.u)
        for _ in range(iterations):
            v = matrix @ u
            v /= np.linalg.norm(v)
            u = matrix.T @ v
            u /= np.linalg.norm(u)
        layer.u.assign(u)
        layer.v.assign(v)


def float64_gan(
    loss="hinge", discriminator_steps=1, accumulation=1, gammas=(0, 0), **networks
):
    gan = helpers.tiny_gan(dtype="float64", **networks)
    gan.compile(
        **helpers.sgd_pair(RATE),
        loss=loss,
        discriminator_steps=discriminator_steps,
        gradient_accumulation_steps=accumulation,
        r1_gamma=gammas[0],
        r2_gamma=gammas[1],
        seed=SEED,
    )
    return gan


def all_weights(gan):
    """Trainable or not: `u`, `v` and the batch-norm statistics too."""
    return helpers.values(gan.generator.variables + gan.discriminator.variables)


@pytest.mark.parametrize(
    ("loss", "discriminator_steps", "accumulation", "gammas", "count"),
    [
        ("hinge", 1, 1, (0, 0), 3),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [
                ("relativistic", 2, 2, (0.5, 0.25), 1),
                ("hinge", 2, 2, (0, 0), 2),
                ("non_saturating", 1, 1, (0.5, 0), 1),
                ("least_squares", 1, 1, (0, 0), 1),
                ("wasserstein", 1, 1, (0, 2.0), 1),
                ("relativistic", 1, 1, (0, 0), 1),
            ]
        ),
    ],
)
def test_step_equals_one_written_by_hand(
    loss, discriminator_steps, accumulation, gammas, count
):
    arguments = (loss, discriminator_steps, accumulation, gammas)
    attention = loss in ("hinge", "relativistic")
    gan, reference = (float64_gan(*arguments, attention=attention) for _ in range(2))
    by_hand = HandWrittenStep(reference, *arguments)
    before = all_weights(gan)
    for step in range(count):
        images, labels = helpers.images_and_labels(
            4 * discriminator_steps * accumulation, seed=step
        )
        gan.train_step((tf.constant(images), tf.constant(labels)))
        by_hand(images, labels, step)
    helpers.assert_same_change(
        before, all_weights(gan), all_weights(reference), tolerance=1e-10
    )


@pytest.mark.parametrize(
    ("discriminator_steps", "accumulation"),
    [pytest.param(1, 2, marks=pytest.mark.slow), (3, 1)],
)
def test_spectral_norm_advances_once_an_optimizer_step(
    discriminator_steps, accumulation
):
    gan = float64_gan("hinge", discriminator_steps, accumulation, attention=False)
    gan.g_optimizer.learning_rate = 0.0  # the kernels stay, the vectors move on
    gan.d_optimizer.learning_rate = 0.0
    rng = np.random.default_rng(0)
    networks = (gan.generator, gan.discriminator)
    layers = [layer for network in networks for layer in spectral_norm_layers(network)]
    for layer in layers:  # far from the singular vectors: each iteration counts
        layer.u.assign(rng.normal(size=layer.u.shape))
    start = [np.array(layer.u) for layer in layers]
    images, labels = helpers.images_and_labels(2 * discriminator_steps * accumulation)
    gan.train_step((tf.constant(images), tf.constant(labels)))
    actual = [np.array(vector) for layer in layers for vector in (layer.u, layer.v)]
    for layer, u in zip(layers, start, strict=True):
        layer.u.assign(u)
    numpy_power_iteration(gan.generator)
    numpy_power_iteration(gan.discriminator, discriminator_steps)
    expected = [np.array(vector) for layer in layers for vector in (layer.u, layer.v)]
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    assert int(gan.g_optimizer.iterations) == 1
    assert int(gan.d_optimizer.iterations) == discriminator_steps


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(StepSettings(), id="hinge", marks=pytest.mark.slow),
        pytest.param(
            StepSettings("relativistic", r1_gamma=0.5, r2_gamma=0.25), id="relativistic"
        ),
    ],
)
def test_accumulation_is_exact_for_the_discriminator(settings):
    """Three sub-batches update it as their union does.

    The fakes of a sub-batch depend on the rest of it (batch norm): each has the same
    ones here, so that those of the union are three times those.
    """
    gan = float64_gan(attention=False)
    images, labels = helpers.images_and_labels(12)
    images = steps.to_unit_range(tf.constant(images))
    latents = tf.random.stateless_normal((4, 8), (0, 1), dtype=tf.float64)
    fake_labels = tf.constant([0, 1, 2, 2])
    split = [Batch(images[i::3], labels[i::3], latents, fake_labels) for i in range(3)]
    columns = zip(*(batch[:4] for batch in split), strict=True)
    union = Batch(*(tf.concat(column, axis=0) for column in columns))
    variables = gan.discriminator.variables
    start, ends, losses = helpers.values(variables), [], []
    for batches in (split, [union]):
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        logs = steps.update_discriminator(networks.of(gan), settings, batches)
        ends.append(helpers.values(variables))
        losses.append(
            [float(value) for name, value in logs.items() if name != "d_sign"]
        )
    helpers.assert_same_change(start, *ends, tolerance=1e-10, least=1e-3)
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_parts_of_a_batch_are_strided():
    """Part `i` of every replica together is part `i` of the global batch."""
    columns = (tf.range(8), None, tf.range(8) * 10, None)
    first, second = steps.split(columns, 2)
    np.testing.assert_array_equal(first.images, [0, 2, 4, 6])
    np.testing.assert_array_equal(second.latents, [10, 30, 50, 70])
    assert first.labels is None
    assert second.fake_labels is None


def test_uint8_and_float_images_give_the_same_step():
    images, labels = helpers.images_and_labels(4)
    ends = []
    for data in (images, images / np.float32(127.5) - np.float32(1)):
        gan = float64_gan(attention=False)
        gan.train_step((tf.constant(data), tf.constant(labels)))
        ends.append(all_weights(gan))
    helpers.assert_equal(*ends)


@pytest.mark.parametrize(
    "dtype", ["float16", pytest.param("float64", marks=pytest.mark.slow)]
)
def test_float_images_of_other_precisions_train(dtype):
    gan = helpers.tiny_gan(attention=False)
    gan.compile(**helpers.sgd_pair())
    before = np.array(gan.discriminator.trainable_variables[0])
    images, labels = helpers.images_and_labels(2)
    images = tf.cast(images / 127.5 - 1, dtype)
    logs = gan.train_step((images, tf.constant(labels)))
    assert np.isfinite(float(logs["loss"]))
    assert not np.array_equal(gan.discriminator.trainable_variables[0], before)


@pytest.mark.parametrize(
    "arguments", [{}, {"loss": "relativistic", "r1_gamma": 0.5, "r2_gamma": 0.5}]
)
def test_unconditional_step_with_one_channel(arguments):
    gan = helpers.tiny_gan(None, channels=1, attention=False)
    gan.compile(**helpers.sgd_pair(), discriminator_steps=2, **arguments)
    before = helpers.values(gan.trainable_variables)
    images, _ = helpers.images_and_labels(4, channels=1)
    logs = gan.train_step(tf.constant(images))
    after = helpers.values(gan.trainable_variables)
    assert all(np.isfinite(float(value)) for value in logs.values())
    moved = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert sum(moved) > 0.9 * len(moved)


@pytest.mark.parametrize(
    "loss", [pytest.param("non_saturating", marks=pytest.mark.slow), "relativistic"]
)
def test_evaluation_step_is_the_losses_in_inference_mode(loss):
    """Without penalties, which the losses of training are without as well."""
    gan = float64_gan(loss, gammas=(1.0, 1.0), attention=False)
    images, labels = helpers.images_and_labels(4)
    before = all_weights(gan)
    logs = steps.test_step(
        networks.of(gan), gan._settings, tf.constant(images), tf.constant(labels), 5
    )
    helpers.assert_equal(all_weights(gan), before)
    latents = sampling.batch_latents(SEED, Purpose.EVALUATION, 5, 4, 8)
    fake_labels = sampling.batch_labels(SEED, Purpose.EVALUATION, 5, 4, 3)
    if loss == "relativistic":
        fake_labels = tf.constant(labels)
    fakes = gan.generator([latents, fake_labels], training=False)
    real = gan.discriminator([images / np.float32(127.5) - np.float32(1), labels])
    fake = gan.discriminator([fakes, fake_labels])
    d_loss, g_loss = HAND_WRITTEN_LOSSES[loss]
    expected = {
        "d_loss": d_loss(real, fake),
        "g_loss": g_loss(real, fake),
        "d_real": real,
        "d_fake": fake,
    }
    assert set(logs) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(logs[name], np.mean(value), rtol=1e-12)


@pytest.mark.parametrize(
    ("decay", "start", "expected"),
    [
        (0.75, 0, [0.25, 0.6875, 1.265625]),  # 0.75 a + 0.25 w, from 0
        (0.75, 2, [1.0, 2.0, 2.25]),  # copies at steps 0 and 1
        (0.0, 0, [1.0, 2.0, 3.0]),
    ],
)
def test_average_follows_the_formula(decay, start, expected):
    average, weight = keras.Variable(0.0), keras.Variable(0.0)
    averaged = Averages([average], [weight])
    settings = StepSettings(ema_decay=decay, ema_start=start)
    seen = []
    for step in range(3):
        weight.assign(step + 1.0)
        ema.update_average(averaged, tf.constant(step), settings)
        seen.append(float(average))
    assert seen == expected


def test_average_with_a_warmup_is_that_of_tensorflow():
    average, weight = keras.Variable(0.0), keras.Variable(0.0)
    settings = StepSettings(ema_decay=0.75, ema_start=4, ema_warmup=True)
    updates = tf.Variable(0)
    reference = tf.train.ExponentialMovingAverage(0.75, updates)
    value = tf.Variable(4.0)
    reference.apply([value])  # begins with 4.0
    for step in range(60):  # (1 + t) / (10 + t) reaches 0.75 after 26 updates
        weight.assign(step + 1.0)
        ema.update_average(Averages([average], [weight]), tf.constant(step), settings)
        if step < 4:
            assert float(average) == step + 1
        else:
            value.assign(step + 1.0)
            updates.assign(step - 4)
            reference.apply([value])
            np.testing.assert_allclose(average, reference.average(value), rtol=1e-6)


def test_another_seed_gives_another_step():
    images, labels = helpers.images_and_labels(2)
    ends = []
    for seed in (SEED, SEED + 1):
        gan = helpers.tiny_gan(attention=False)
        gan.compile(**helpers.sgd_pair(), seed=seed)
        gan.train_step((tf.constant(images), tf.constant(labels)))
        ends.append(helpers.values(gan.generator.trainable_variables))
    assert not np.array_equal(ends[0][0], ends[1][0])


def test_fake_labels_follow_the_weights():
    gan = helpers.tiny_gan(attention=False)
    settings = StepSettings(fake_label_weights=(0.0, 2.0, 0.0))
    for purpose in Purpose:
        _, labels = steps.draw(
            steps.Networks(gan.generator, None, None, None), settings, purpose, 0, 50
        )
        assert set(np.array(labels)) == {1}
