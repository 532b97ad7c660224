"""Measures whether generated images repeat training images."""

from typing import NamedTuple

import numpy as np

from keras_sagan.metrics.scores import neighbours
from keras_sagan.metrics.scores.checks import check_pair


class Memorization(NamedTuple):
    """The result of `memorization_check`.

    share: float. Share of the generated images that are nearer to the training images
        than to an equal number of held-out images. It is 0.5 for a generator that has
        learned the distribution only.
    score: float. (share - 0.5) in standard errors. Above about 3, something has been
        memorised.
    distance_ratio: float. Median distance of generated images to the nearest training
        image, divided by the same of held-out images.
    copies: int. Number of generated images at distance 0 from a training image.
    nearest: int64 `(generated,)`. Index of the nearest training image.
    distances: float64 `(generated,)`. Distance to the nearest training image.
    nearer: float64 `(generated,)`. 1 for images that are nearer to training images, 0
        to held-out ones, and 0.5 if distances are equal. `share` is its mean.
    """

    share: float
    score: float
    distance_ratio: float
    copies: int
    nearest: np.ndarray
    distances: np.ndarray
    nearer: np.ndarray


def memorization_check(
    fake: np.ndarray, training: np.ndarray, held_out: np.ndarray, seed: int = 0
) -> Memorization:
    """Tests whether generated images are closer to training than to held-out images.

    Args:
        fake: array `(n, dimensions)`. Features of generated images.
        training: array `(m, dimensions)`. Features of training images.
        held_out: array `(k, dimensions)`. Features of real images of the same
            distribution that were not used in training.
        seed: int. Seed of the choice of min(m, k) images of the larger real set, which
            makes both sets equally likely to contain the nearest image.

    Returns: `Memorization`.

    Raises:
        ValueError: if the features are not as described.

    Reference: Meehan et al., 2020, arXiv 2004.05675, "A non-parametric test to detect
        data-copying in generative models", for the idea; this test is simpler.
    """
    training, fake = check_pair(training, fake)
    training, held_out = check_pair(training, held_out)
    generator = np.random.default_rng(seed)
    size = min(len(training), len(held_out))
    some, others = (
        real[np.sort(generator.choice(len(real), size, replace=False))]
        for real in (training, held_out)
    )
    training, held_out, fake, some, others = neighbours.clouds(
        training, held_out, fake, some, others
    )
    index, distance = neighbours.nearest(fake, training)
    to_training = neighbours.nearest(fake, some)[1]
    to_held_out = neighbours.nearest(fake, others)[1]
    nearer = (to_training < to_held_out) + 0.5 * (to_training == to_held_out)
    share = nearer.mean()
    usual = np.median(neighbours.nearest(held_out, training)[1])
    return Memorization(
        share=float(share),
        score=float((share - 0.5) / np.sqrt(0.25 / len(fake))),
        distance_ratio=float(np.median(distance) / usual) if usual else np.nan,
        copies=int((distance == 0).sum()),
        nearest=index,
        distances=distance,
        nearer=nearer,
    )
