"""Networks in which every weight shows in the images."""

import numpy as np

from tests.helpers import tiny_gan


def exportable_gan(num_classes=3, **networks):
    """`tiny_gan` with biases that are not zero, its averaged generator up to date."""
    gan = tiny_gan(num_classes, **networks)
    rng = np.random.default_rng(3)
    for weight in gan.ema_generator.weights:
        if weight.name == "bias":
            weight.assign(rng.normal(0, 0.2, weight.shape))
    gan.refresh_ema()
    return gan
