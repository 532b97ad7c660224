"""Spectrally normalised weights in the layouts that they are stored in."""

import numpy as np

from keras_sagan.interop import torch_networks
from keras_sagan.interop.checkpoint import Checkpoint


def test_spectral_pair_in_both_layouts():
    weight, u = np.arange(6.0).reshape(2, 3), np.array([[0.6, 0.8]])
    stored = {"a.weight": weight, "a.u0": u, "a.sv0": np.ones(1)}
    checkpoint = Checkpoint(stored, "file")
    _, next_u, v = torch_networks.take_spectral(checkpoint, "a", (2, 3))
    checkpoint.finish()
    np.testing.assert_allclose([np.linalg.norm(next_u), np.linalg.norm(v)], 1)
    stored = {"a.weight_orig": weight, "a.weight_u": u[0], "a.weight_v": v}
    taken = torch_networks.take_spectral(Checkpoint(stored, "file"), "a", (2, 3))
    for actual, expected in zip(taken, (weight, u[0], v), strict=True):
        np.testing.assert_array_equal(actual, expected)
