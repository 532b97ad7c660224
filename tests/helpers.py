"""Small networks and data that several test files share."""

import contextlib
import os
import pathlib
import resource
import subprocess
import sys

import keras
import numpy as np

from keras_sagan import SAGAN, losses
from keras_sagan.config import training
from keras_sagan.layers import spectral_norm_layers
from keras_sagan.models import Discriminator, Generator

CLASS_NAMES = ("red", "green", "blue")
ROOT = pathlib.Path(__file__).parents[1]


def tiny_networks(
    num_classes=3,
    channels=3,
    attention=True,
    dtype=None,
    d_spectral_norm=True,
    **generator,
):
    """A generator and a discriminator of 32 x 32 images with a few thousand weights.

    Every random number of theirs is the same in each call. Attention needs eight
    channels, hence twice the filters.
    """
    keras.utils.set_random_seed(1)
    shared = {
        "num_classes": num_classes,
        "channels": channels,
        "base_filters": 4 if attention else 2,
        "attention_resolutions": (16,) if attention else (),
        "dtype": dtype,
    }
    return (
        Generator(**shared, latent_dim=8, **generator),
        Discriminator(**shared, spectral_norm=d_spectral_norm),
    )


def tiny_gan(num_classes=3, class_names=CLASS_NAMES, **networks):
    """A `SAGAN` of `tiny_networks` in which everything counts.

    The gates of attention layers, which start at zero, are open, and the scales and
    offsets of the classes, which start alike, differ.
    """
    gan = SAGAN(
        *tiny_networks(num_classes, **networks),
        class_names=class_names if num_classes else None,
    )
    for network in (gan.generator, gan.discriminator, gan.ema_generator):
        rng = np.random.default_rng(2)
        for weight in network.weights:
            if weight.name == "gamma" and weight.path.startswith("attention"):
                weight.assign(0.5)
            elif weight.name in ("gamma", "beta"):
                weight.assign(weight + rng.normal(0, 0.2, weight.shape))
    return gan


def without_spectral_norm(network):
    """The same network without the layers, with the kernels that it runs with."""
    config = {**network.get_config(), "spectral_norm": False}
    plain = type(network).from_config(config)
    used = {id(x.layer.variables[0]): x.normalized_kernel()
            for x in spectral_norm_layers(network)}  # fmt: skip
    kept = [v for v in network.weights if v.name not in ("u", "v")]
    for variable, weight in zip(plain.weights, kept, strict=True):
        variable.assign(used.get(id(weight), weight))
    return plain


def images_and_labels(count, num_classes=3, channels=3, seed=0):
    """Random uint8 images `(count, 32, 32, channels)` and int32 labels `(count,)`."""
    generator = np.random.default_rng(seed)
    shape = (count, 32, 32, channels)
    images = generator.integers(0, 256, shape).astype("uint8")
    return images, generator.permutation(np.arange(count) % num_classes).astype("int32")


def sgd_pair(rate=2.0**-8):
    """Optimizers whose steps are proportional to the gradients."""
    return {
        "g_optimizer": keras.optimizers.SGD(rate),
        "d_optimizer": keras.optimizers.SGD(rate),
    }


def values(variables):
    """Copies of the values of variables."""
    return [np.array(variable) for variable in variables]


def assert_equal(actual, expected):
    """Lists of arrays are equal, bit by bit."""
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def assert_same_change(before, actual, expected, tolerance, least=1e-2):
    """Weights changed alike, and enough for that to mean something.

    Compared is the change of each tensor, relative to its norm. Those that hardly
    change (a bias in front of a batch norm has gradient zero) are compared with
    the size of the weights.

    Args:
        before, actual, expected: lists of arrays: the weights before, those after,
            and those that they should be.
        tolerance: float. Allowed difference of the changes.
        least: float. Least relative change of all weights together.
    """
    norm = np.linalg.norm
    moved = norm([norm(b - a) for a, b in zip(before, expected, strict=True)])
    assert moved >= least * norm([norm(a) for a in before])
    for old, new, wanted in zip(before, actual, expected, strict=True):
        scale = max(norm(wanted - old), least * norm(old), least)
        assert norm(new - wanted) <= tolerance * scale


def assert_same_pixels(actual, expected):
    """uint8 images are equal but for rounding: one grey level, in few pixels."""
    difference = np.abs(actual.astype(int) - expected.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


@contextlib.contextmanager
def room_for(size):
    """Scope in which no file can have more bytes: a full disk, with another message."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def registered_losses_forgotten():
    """Scope at whose end no loss is known that was registered in it."""
    before = set(losses.LOSSES)
    try:
        yield
    finally:
        for name in set(losses.LOSSES) - before:
            del losses.LOSSES[name]
            training.LOSSES.remove(name)


def run_python(code, *arguments):
    """What `code` prints last in a process of its own, with this checkout and no GPU.

    Raises:
        AssertionError: with what it printed, if it fails.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1] if done.stdout else ""
