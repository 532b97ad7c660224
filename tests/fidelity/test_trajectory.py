"""Ten steps of `SAGAN` against the same ten steps written in torch.

Same weights, data, latents, labels and SGD; in torch, each network's spectral norms
advance once before each of its updates and stand still during all forward passes.
What is compared are the changes of the weights.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from keras_sagan import SAGAN, sampling
from keras_sagan.interop.assembly import named_variables
from tests.fidelity import comparison, torch_reference

STEPS, BATCH, CLASSES, LATENT_DIM, SEED = 10, 4, 3, 8, 7
# G, D. Exact in float32, in which optimizers keep them; weights move by over 1 %.
LEARNING_RATES = (1 / 64, 1 / 64)
EMA_DECAY = 0.9


def data():
    generator = np.random.default_rng(3)
    images = generator.uniform(-1, 1, (STEPS * 2 * BATCH, 32, 32, 3))
    labels = generator.integers(0, CLASSES, len(images)).astype("int32")
    return images, labels


def drawn(purpose, step, count, dtype):
    """What `train_step` draws, as torch tensors."""
    latents = sampling.batch_latents(SEED, purpose, step, count, LATENT_DIM)
    labels = sampling.batch_labels(SEED, purpose, step, count, CLASSES)
    latents = torch.from_numpy(latents.numpy()).to(getattr(torch, dtype))
    return latents, torch.from_numpy(labels.numpy())


def descend(network, loss, rate):
    network.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.sub_(rate * parameter.grad)


def torch_step(g, d, images, labels, step, discriminator_steps, dtype):
    """One generator step, after `discriminator_steps` discriminator steps."""
    g_rate, d_rate = LEARNING_RATES
    count = len(images)
    latents, fake_labels = drawn(
        sampling.Purpose.DISCRIMINATOR_STEP, step, count, dtype
    )
    for i in range(discriminator_steps):
        part = slice(i, None, discriminator_steps)
        torch_reference.advance(d)
        with torch_reference.frozen(g), torch.no_grad():
            fakes = g(latents[part], fake_labels[part])
        real, fake = d(images[part], labels[part]), d(fakes, fake_labels[part])
        loss = torch.relu(1 - real).mean() + torch.relu(1 + fake).mean()
        descend(d, loss, d_rate)
    latents, fake_labels = drawn(
        sampling.Purpose.GENERATOR_STEP, step, count // discriminator_steps, dtype
    )
    torch_reference.advance(g)
    with torch_reference.frozen(g):
        loss = -d(g(latents, fake_labels), fake_labels).mean()
        descend(g, loss, g_rate)


def run_torch(g, d, discriminator_steps, dtype):
    """All steps; returns the moving average of the generator's parameters."""
    images, labels = data()
    images = comparison.nchw(images.astype(dtype))
    labels = torch.from_numpy(labels)
    average = [p.detach().clone() for p in g.parameters()]
    rows = BATCH * discriminator_steps
    for step in range(STEPS):
        batch = slice(step * rows, (step + 1) * rows)
        torch_step(g, d, images[batch], labels[batch], step, discriminator_steps, dtype)
        for mean, parameter in zip(average, g.parameters(), strict=True):
            mean.add_((1 - EMA_DECAY) * (parameter.detach() - mean))
    return average


def assert_same_changes(variables, before, after, tolerance):
    """|dw - dw_ref| <= tolerance |dw_ref|, with dw_ref at least 1 % of w overall."""
    total = np.sqrt(sum(np.sum((after[x] - before[x]) ** 2) for x in variables))
    weights = np.sqrt(sum(np.sum(before[x] ** 2) for x in variables))
    assert total >= 0.01 * weights
    for name, variable in variables.items():
        change, expected = variable.numpy() - before[name], after[name] - before[name]
        comparison.assert_close(change, expected, tolerance, 1e-3 * total, name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dtype", "tolerance", "discriminator_steps"),
    [("float64", 1e-6, 1), ("float64", 1e-6, 2)],
)
def test_ten_steps(dtype, tolerance, discriminator_steps):
    torch_dtype = getattr(torch, dtype)
    torch.manual_seed(0)
    g = torch_reference.Generator(32, 4, CLASSES, LATENT_DIM).to(torch_dtype)
    d = torch_reference.Discriminator(32, 4, CLASSES).to(torch_dtype)
    torch_reference.randomize(g, seed=1, scale=0.2)
    torch_reference.randomize(d, seed=2, scale=0.2)
    generator = comparison.keras_generator(g, LATENT_DIM, CLASSES, (16,), dtype)
    discriminator = comparison.keras_discriminator(
        d, 32, 4, CLASSES, (16,), False, dtype
    )
    gan = SAGAN(generator, discriminator)
    gan.compile(
        keras.optimizers.SGD(LEARNING_RATES[0]),
        keras.optimizers.SGD(LEARNING_RATES[1]),
        discriminator_steps=discriminator_steps,
        ema_decay=EMA_DECAY,
        seed=SEED,
    )
    g_before = comparison.generator_state(g, generator)
    d_before = comparison.discriminator_state(d, discriminator)

    images, labels = data()
    rows = BATCH * discriminator_steps
    dataset = tf.data.Dataset.from_tensor_slices((images.astype(dtype), labels))
    gan.fit(dataset.batch(rows, drop_remainder=True).take(STEPS), epochs=1, verbose=0)
    average = run_torch(g, d, discriminator_steps, dtype)

    g_after = comparison.generator_state(g, generator)
    d_after = comparison.discriminator_state(d, discriminator)
    for network, before, after in [
        (generator, g_before, g_after),
        (discriminator, d_before, d_after),
    ]:
        variables = named_variables(network)
        trainable = {name: v for name, v in variables.items() if v.trainable}
        assert_same_changes(trainable, before, after, tolerance)
        for name in variables.keys() - trainable.keys():
            comparison.assert_close(variables[name], after[name], tolerance, 1e-3, name)

    with torch.no_grad():
        for parameter, mean in zip(g.parameters(), average, strict=True):
            parameter.copy_(mean)
    averaged = named_variables(gan.ema_generator)
    names = [name for name, v in named_variables(generator).items() if v.trainable]
    assert_same_changes(
        {name: averaged[name] for name in names},
        g_before,
        comparison.generator_state(g, generator),
        tolerance,
    )
