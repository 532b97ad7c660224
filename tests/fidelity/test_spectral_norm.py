"""Our wrapper against both spectral norms that torch has, over 20 training steps.

`torch.nn.utils.spectral_norm` iterates as we do (v, then u). Its successor
`torch.nn.utils.parametrizations.spectral_norm` iterates u first, so that at the same
step it is half an iteration behind: from the same pair both normalise alike, and our
next u is the one that it computes first in its next step.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch.nn.utils import parametrizations
from torch.nn.utils import spectral_norm as hook_spectral_norm

from keras_sagan.interop import transforms
from keras_sagan.layers import SpectralNormalization, frozen_spectral_norm
from tests.fidelity import comparison

STEPS, SIZE = 20, 6
LEARNING_RATE = {"conv": 0.02, "linear": 0.02, "embedding": 0.2}
DTYPES = [("float32", 1e-4), ("float64", 1e-9)]


class Pair:
    """The same layer in torch and in Keras, with the transforms between them."""

    def __init__(self, kind, dtype, normalize):
        torch.manual_seed(0)
        self.kind, self.dtype = kind, dtype
        make = {
            "conv": lambda: torch.nn.Conv2d(3, 5, 3, padding=1, dtype=as_torch(dtype)),
            "linear": lambda: torch.nn.Linear(7, 4, dtype=as_torch(dtype)),
            "embedding": lambda: torch.nn.Embedding(9, 4, dtype=as_torch(dtype)),
        }
        self.torch = normalize(make[kind]())
        layer = {
            "conv": keras.layers.Conv2D(5, 3, padding="same", dtype=dtype),
            "linear": keras.layers.Dense(4, dtype=dtype),
            "embedding": keras.layers.Embedding(9, 4, dtype=dtype),
        }[kind]
        self.keras = SpectralNormalization(layer)
        self.keras.build(self.inputs(0).shape)

    def inputs(self, step):
        generator = np.random.default_rng(step)
        if self.kind == "embedding":
            return generator.integers(0, 9, 12).astype("int32")
        shape = {"conv": (2, SIZE, SIZE, 3), "linear": (5, 7)}[self.kind]
        return generator.normal(size=shape).astype(self.dtype)

    def to_torch(self, array):
        if self.kind == "conv":
            return comparison.nchw(array)
        return torch.from_numpy(np.array(array))

    def from_torch(self, tensor):
        """An output, in Keras's layout."""
        return comparison.nhwc(tensor) if self.kind == "conv" else as_array(tensor)

    def kernel(self, weight):
        """A weight or its gradient, in Keras's layout."""
        weight = as_array(weight)
        if self.kind == "conv":
            return transforms.conv_kernel(weight)
        return weight.T if self.kind == "linear" else weight

    def v(self, v):
        v = as_array(v)
        if self.kind == "conv":
            return transforms.conv_v(v, (3, 3, 3, 5))
        return v

    def assign(self, weight, u, v):
        self.keras.kernel.assign(self.kernel(weight))
        self.keras.u.assign(as_array(u))
        self.keras.v.assign(self.v(v))
        if self.kind != "embedding":
            self.keras.layer.bias.assign(as_array(self.torch.bias))

    def step(self, step):
        """Outputs and kernel gradients of both, for one batch."""
        x, cotangent = self.inputs(step), None
        with tf.GradientTape() as tape:
            outputs = self.keras(x, training=True)
            cotangent = np.random.default_rng(1000 + step).normal(size=outputs.shape)
            value = tf.reduce_sum(outputs * cotangent.astype(self.dtype))
        gradient = tape.gradient(value, self.keras.kernel.value)
        self.torch.zero_grad()
        expected = self.torch(self.to_torch(x))
        (expected * self.to_torch(cotangent.astype(self.dtype))).sum().backward()
        outputs = (outputs, self.from_torch(expected))
        return outputs, tf.convert_to_tensor(gradient)


def as_torch(dtype):
    return getattr(torch, dtype)


def as_array(tensor):
    return tensor.detach().numpy().copy()


def sigma_of(weight, u, v):
    return as_array(u) @ transforms.matrix(as_array(weight)) @ as_array(v)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("kind", ["conv", "linear", "embedding"])
def test_against_torch_spectral_norm(kind, dtype, tolerance):
    """Both run on their own from the same start: everything stays equal."""
    pair = Pair(kind, dtype, hook_spectral_norm)
    module, wrapper = pair.torch, pair.keras
    start = as_array(module.weight_orig)
    pair.assign(module.weight_orig, module.weight_u, module.weight_v)
    for step in range(STEPS):
        (outputs, expected), gradient = pair.step(step)
        comparison.assert_close(outputs, expected, tolerance, name="output")
        comparison.assert_close(
            gradient, pair.kernel(module.weight_orig.grad), tolerance, name="gradient"
        )
        u, v = module.weight_u, module.weight_v
        comparison.assert_close(wrapper.u, as_array(u), tolerance, name="u")
        comparison.assert_close(wrapper.v, pair.v(v), tolerance, name="v")
        sigma = sigma_of(module.weight_orig, u, v)
        comparison.assert_close(wrapper.sigma(), sigma, tolerance, name="sigma")

        kernel = wrapper.kernel
        kernel.assign(kernel - LEARNING_RATE[kind] * gradient)
        with torch.no_grad():
            module.weight_orig.sub_(LEARNING_RATE[kind] * module.weight_orig.grad)
    moved = np.linalg.norm(as_array(module.weight_orig) - start)
    assert moved > 0.1 * np.linalg.norm(start)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("kind", ["conv", "linear", "embedding"])
def test_against_torch_parametrization(kind, dtype, tolerance):
    """From the same pair: same output and gradient; our next u is its next u."""
    pair = Pair(kind, dtype, parametrizations.spectral_norm)
    module, wrapper = pair.torch, pair.keras
    parametrization = module.parametrizations.weight
    weight = parametrization.original
    start = as_array(weight)
    for step in range(STEPS):
        with torch.no_grad():
            module(pair.to_torch(pair.inputs(step)))  # its iteration of this step
        module.eval()
        u, v = parametrization[0]._u, parametrization[0]._v
        pair.assign(weight, u, v)
        with frozen_spectral_norm():
            (outputs, expected), gradient = pair.step(step)
        comparison.assert_close(outputs, expected, tolerance, name="output")
        comparison.assert_close(
            gradient, pair.kernel(weight.grad), tolerance, name="gradient"
        )
        comparison.assert_close(
            wrapper.sigma(), sigma_of(weight, u, v), tolerance, name="sigma"
        )
        wrapper.advance()
        comparison.assert_close(wrapper.v, pair.v(v), tolerance, name="v")
        following = transforms.matrix(as_array(weight)) @ as_array(v)
        comparison.assert_close(
            wrapper.u, transforms.unit(following), tolerance, name="next u"
        )
        # Half an iteration further is never further from the largest value.
        largest = np.linalg.norm(transforms.matrix(as_array(weight)), 2)
        sigma = sigma_of(weight, u, v)
        assert sigma * (1 - 1e-6) <= wrapper.sigma() <= largest * (1 + 1e-6)

        module.train()
        with torch.no_grad():
            weight.sub_(LEARNING_RATE[kind] * weight.grad)
    moved = np.linalg.norm(as_array(weight) - start)
    assert moved > 0.1 * np.linalg.norm(start)
