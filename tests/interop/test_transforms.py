"""Tensor transforms against torch's own layers."""

import numpy as np
import torch

from keras_sagan.interop import transforms


def test_conv_kernel_and_v_belong_together():
    """`v^T M u` is the same number in both layouts."""
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(5, 3, 2, 4))
    u, v = generator.normal(size=5), generator.normal(size=3 * 2 * 4)
    kernel = transforms.conv_kernel(weight)
    assert kernel.shape == (2, 4, 3, 5)
    expected = u @ transforms.matrix(weight) @ v
    actual = transforms.conv_v(v, kernel.shape) @ kernel.reshape(-1, 5) @ u
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_channels_last():
    features = np.random.default_rng(0).normal(size=(3, 4, 4))
    expected = features.transpose(1, 2, 0).ravel()
    actual = transforms.channels_last(features.ravel(), 4)
    np.testing.assert_array_equal(actual, expected)
    rows = np.stack([features.ravel(), 2 * features.ravel()], axis=1)
    actual = transforms.channels_last(rows, 4)
    np.testing.assert_array_equal(actual, np.stack([expected, 2 * expected], axis=1))


def test_normalized_is_what_torch_computes():
    layer = torch.nn.utils.spectral_norm(torch.nn.Conv2d(3, 5, 3))
    layer(torch.zeros(1, 3, 3, 3))
    layer.eval()(torch.zeros(1, 3, 3, 3))
    arrays = (layer.weight_orig, layer.weight_u, layer.weight_v)
    actual = transforms.normalized(*(x.detach().numpy() for x in arrays))
    np.testing.assert_allclose(actual, layer.weight.detach().numpy(), rtol=1e-6)


def test_power_iteration_is_torchs():
    layer = torch.nn.utils.spectral_norm(torch.nn.Linear(3, 5))
    u = layer.weight_u.numpy().copy()
    layer(torch.zeros(1, 3))
    rows = layer.weight_orig.detach().numpy()
    for actual, expected in zip(
        transforms.power_iteration(rows, u),
        (layer.weight_u, layer.weight_v),
        strict=True,
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-7)


def test_unit_keeps_zeros():
    np.testing.assert_array_equal(transforms.unit(np.zeros(3)), np.zeros(3))
