"""Do generated images repeat training images?"""

from typing import NamedTuple

import numpy as np

from keras_sagan.metrics.scores import neighbours
from keras_sagan.metrics.scores.checks import check_pair


class Memorization(NamedTuple):
    """The result of `memorization_check`.

    share: float. Of the generated images that are nearer to training than to held-out
        images, of equally many; 0.5 for a generator that knows the distribution only.
    score: float. (share - 0.5) in standard errors; above about 3 something is
        memorised.
    distance_ratio: float. Median distance of a generated image to its nearest
        training image, over that of held-out images to theirs.
    copies: int. Generated images at distance 0 from a training image.
    nearest: int64 `(generated,)`. Index of the nearest training image, to look at.
    distances: float64 `(generated,)`. To it.
    nearer: float64 `(generated,)`. 1 where the image is nearer to training images, 0
        where to held-out ones, 0.5 where to neither; `share` is its mean.
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
    """Compares generated images with training and with held-out images.

    Args:
        fake: array `(n, dimensions)`. Features of generated images.
        training: array `(m, dimensions)`.
        held_out: array `(k, dimensions)`. Real images never trained on, of the same
            distribution.
        seed: int. Of the choice of min(m, k) images of the larger real set, so that
            either real set is as likely to hold the nearest image.

    Returns: `Memorization`.

    Raises:
        ValueError: if the features are not as described.

    Reference: Meehan et al., 2020, arXiv 2004.05675, "A non-parametric test to detect
        data-copying in generative models", whose idea this is (the test is simpler).
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
