"""Computes the gap between the distances to held-out and to training images."""

from typing import NamedTuple

import numpy as np

from keras_sagan.metrics.scores.checks import check_pair
from keras_sagan.metrics.scores.frechet import frechet_distance


class FrechetGap(NamedTuple):
    """The result of `frechet_gap`.

    gap: float. Distance to held-out images minus distance to training images. It is
        about 0 for a generator that has learned the distribution only, and above 0 if
        its images are closer to the training images.
    share: float. The gap divided by the distance to held-out images.
    """

    gap: float
    share: float


def frechet_gap(
    fake: np.ndarray,
    training: np.ndarray,
    held_out: np.ndarray,
    allow_few: bool = False,
    seed: int = 0,
) -> FrechetGap:
    """Measures whether a generator is closer to its training images than to others.

    Both distances are computed with the same number of real images, so that they have
    the same bias.

    Args:
        fake: array `(n, dimensions)`. Features of generated images.
        training: array `(m, dimensions)`. Features of training images.
        held_out: array `(k, dimensions)`. Features of real images not used in training.
        allow_few: see `frechet_distance`.
        seed: int. Seed of the choice of min(m, k) images of the larger real set.

    Returns: `FrechetGap`.

    Raises:
        ValueError: as for `frechet_distance`.

    Reference: [Jiralerspong et al., 2023](https://arxiv.org/abs/2302.04440), section 4,
        on the gap between train and test of a score as the sign of memorisation.
    """
    training, held_out = check_pair(training, held_out)
    generator = np.random.default_rng(seed)
    size = min(len(training), len(held_out))
    near, far = (
        frechet_distance(
            real[np.sort(generator.choice(len(real), size, replace=False))],
            fake,
            allow_few,
        )
        for real in (training, held_out)
    )
    return FrechetGap(far - near, (far - near) / far if far else 0.0)
