"""Weights of networks that nobody has trained."""

import numpy as np


def make_not_neutral(network):
    """Gives gates and the scales and shifts of norms values as after training.

    Initial ones leave out work: a gate of 0, a scale of 1.

    Args:
        network: Keras model.
    """
    rng = np.random.default_rng(0)
    for weight in network.weights:  # the averaged generator has none that are trained
        if weight.name == "gamma" and not weight.shape:
            weight.assign(0.5)
        elif weight.name in ("gamma", "beta"):
            weight.assign(weight + rng.normal(0, 0.2, weight.shape))
