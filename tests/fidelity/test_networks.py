"""The full networks against the torch reference: outputs and every gradient."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from keras_sagan.interop.assembly import named_variables
from keras_sagan.layers import frozen_spectral_norm
from tests.fidelity import comparison, torch_reference

CLASSES, LATENT_DIM, BATCH = 3, 8, 3
# In float32, one ReLU in a million sees a value whose sign differs between two
# roundings, which shows as a gradient that differs by 1e-3: the best of three draws
# counts. A wrong gradient is wrong in all of them.
FLOAT32, FLOAT64 = ("float32", 1e-4, 3), ("float64", 1e-9, 1)
CASES = [
    pytest.param(32, (16,), *FLOAT32, id="32-float32", marks=pytest.mark.slow),
    pytest.param(32, (16,), *FLOAT64, id="32-float64"),
    pytest.param(32, (), *FLOAT64, id="32-float64-no-attention"),
    pytest.param(128, (32,), *FLOAT32, id="128-float32", marks=pytest.mark.slow),
    pytest.param(128, (32,), *FLOAT64, id="128-float64", marks=pytest.mark.slow),
]


def draw(dtype, size, seed=0):
    """Latents, labels, images or what images are weighed with: a corner of them."""
    generator = np.random.default_rng(seed)
    images = generator.normal(size=(BATCH, size, size, 3)).astype(dtype)
    weights = images * (np.arange(size) < 16)[:, None, None]
    return (
        generator.normal(size=(BATCH, LATENT_DIM)).astype(dtype),
        generator.integers(0, CLASSES, BATCH).astype("int32"),
        images,
        weights * (np.arange(size) < 16)[:, None],
    )


def trainable_gradients(network, tape, value):
    by_name = {
        name: variable
        for name, variable in named_variables(network).items()
        if variable.trainable
    }
    gradients = tape.gradient(value, [v.value for v in by_name.values()])
    return {
        name: tf.convert_to_tensor(gradient).numpy()
        for name, gradient in zip(by_name, gradients, strict=True)
    }


def pick(arrays, names):
    return {name: arrays[name] for name in names}


@pytest.mark.parametrize(("size", "attention", "dtype", "tolerance", "draws"), CASES)
def test_generator(size, attention, dtype, tolerance, draws):
    """Inference; then training mode, gradients and moving statistics."""
    torch.manual_seed(1)
    reference = torch_reference.Generator(
        size, classes=CLASSES, latent_dim=LATENT_DIM, attention=attention
    ).to(getattr(torch, dtype))
    torch_reference.randomize(reference, seed=1, scale=0.2)
    generator = comparison.keras_generator(
        reference, LATENT_DIM, CLASSES, attention, dtype
    )
    latents, labels, _, _ = draw(dtype, size)
    images = generator([latents, labels])
    expected = reference(torch.from_numpy(latents), torch.from_numpy(labels))
    assert 0.05 < np.std(images) and np.mean(np.abs(images) > 0.99) < 0.4
    comparison.assert_close(images, comparison.nhwc(expected), tolerance)

    differences = []
    for seed in range(draws):
        latents, labels, _, weights = draw(dtype, size, seed)
        with tf.GradientTape() as tape, frozen_spectral_norm():
            images = generator([latents, labels], training=True)
            value = tf.reduce_sum(images * weights)
        gradients = trainable_gradients(generator, tape, value)
        reference.zero_grad()
        with torch_reference.frozen(reference):
            expected = reference(torch.from_numpy(latents), torch.from_numpy(labels))
            (expected * comparison.nchw(weights)).sum().backward()
        comparison.assert_close(images, comparison.nhwc(expected), tolerance)
        expected = comparison.generator_state(reference, generator, gradients=True)
        expected = pick(expected, gradients)
        differences.append(comparison.worst_difference(gradients, expected))
    assert min(differences) <= tolerance

    after = comparison.generator_state(reference, generator)
    for name, variable in named_variables(generator).items():
        if not variable.trainable:
            comparison.assert_close(variable, after[name], tolerance, name=name)


@pytest.mark.parametrize("activated", [False, True])
@pytest.mark.parametrize(("size", "attention", "dtype", "tolerance", "draws"), CASES)
def test_discriminator(size, attention, dtype, tolerance, draws, activated):
    """Logits and gradients, with the shortcut before and after the activation."""
    torch.manual_seed(2)
    reference = torch_reference.Discriminator(
        size, classes=CLASSES, attention=attention, activated_shortcut=activated
    ).to(getattr(torch, dtype))
    torch_reference.randomize(reference, seed=2)
    discriminator = comparison.keras_discriminator(
        reference, size, 4, CLASSES, attention, activated, dtype
    )
    differences = []
    for seed in range(draws):
        _, labels, images, _ = draw(dtype, size, seed)
        with tf.GradientTape() as tape, frozen_spectral_norm():
            logits = discriminator([images, labels], training=True)
            value = tf.reduce_sum(logits**2)
        gradients = trainable_gradients(discriminator, tape, value)
        reference.zero_grad()
        expected = reference(comparison.nchw(images), torch.from_numpy(labels))
        (expected**2).sum().backward()
        comparison.assert_close(logits, comparison.to_numpy(expected), tolerance)
        expected = comparison.discriminator_state(reference, discriminator, True)
        expected = pick(expected, gradients)
        differences.append(comparison.worst_difference(gradients, expected))
    assert min(differences) <= tolerance


def test_unconditional_networks():
    reference = torch_reference.Generator(32, classes=None, latent_dim=LATENT_DIM)
    torch_reference.randomize(reference.double(), seed=1, scale=0.2)
    generator = comparison.keras_generator(
        reference, LATENT_DIM, None, (16,), "float64"
    )
    latents, _, images, _ = draw("float64", 32)
    expected = comparison.nhwc(reference(torch.from_numpy(latents)))
    comparison.assert_close(generator(latents), expected, 1e-9)

    reference = torch_reference.Discriminator(32, classes=None)
    torch_reference.randomize(reference.double(), seed=2)
    discriminator = comparison.keras_discriminator(
        reference, 32, 4, None, (16,), False, "float64"
    )
    expected = comparison.to_numpy(reference(comparison.nchw(images)))
    comparison.assert_close(discriminator(images), expected, 1e-9)
