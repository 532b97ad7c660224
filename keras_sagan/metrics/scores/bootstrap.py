"""Confidence intervals by resampling."""

from collections.abc import Callable

import numpy as np

from keras_sagan import progress
from keras_sagan.metrics.counts import check_count


def bootstrap_interval(
    statistic: Callable[..., float],
    *samples: np.ndarray,
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 0,
    centred: bool = True,
) -> tuple[float, float]:
    """An interval for a statistic of one or several samples.

    The images of every sample are drawn again with repetition. Repetitions are bias
    for most scores here: a Frechet distance grows, recall shrinks. So the interval
    has the spread of the resampled values but lies around the value itself
    (`centred`); it covers the noise of which images were drawn, not the bias of how
    many.

    Args:
        statistic: function from as many arrays to a float.
        *samples: arrays, one row an image.
        resamples: int. Defaults to `200`.
        level: float in (0, 1). Defaults to `0.95`.
        seed: int.
        centred: bool. `False` for the plain percentiles.

    Returns: `(low, high)`, floats.

    Raises:
        ValueError: if `resamples` or `level` is out of range, or there is no sample.

    Example:
        low, high = bootstrap_interval(frechet_distance, real, fake, resamples=50)

    Reference: Efron and Tibshirani, 1993, "An introduction to the bootstrap",
        chapter 13.
    """
    check_count("resamples", resamples, 2)
    if not 0 < level < 1:
        raise ValueError(f"`level` must be in (0, 1). Received: level={level!r}.")
    if not samples:
        raise ValueError("`samples` must hold at least one array. Received: none.")
    arrays = [np.asarray(sample) for sample in samples]
    generator = np.random.default_rng(seed)
    values = np.array(
        [
            statistic(*(x[generator.integers(0, len(x), len(x))] for x in arrays))
            for _ in progress.track(
                range(resamples), resamples, "confidence interval", "resamples"
            )
        ]
    )
    shift = statistic(*arrays) - values.mean() if centred else 0.0
    low, high = np.quantile(values + shift, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
