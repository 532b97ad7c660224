"""Computes confidence intervals by resampling."""

import typing
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
    """Computes a confidence interval for a statistic of one or several samples.

    The images of every sample are drawn again with repetition. For most scores here,
    repetitions cause bias: a Frechet distance becomes larger, and recall smaller.
    Therefore the interval has the spread of the resampled values, but lies around the
    value itself (`centred`). It covers the noise from the choice of images, not the
    bias from their number.

    Args:
        statistic: function from the arrays to a float.
        *samples: arrays with a row for each image.
        resamples: int. Number of resamples. Defaults to `200`.
        level: float in (0, 1). Defaults to `0.95`.
        seed: int.
        centred: bool. Whether the interval lies around the value itself. If not, it
            consists of the plain percentiles.

    Returns: tuple `(low, high)` of floats.

    Raises:
        ValueError: if `resamples` or `level` is out of range, or if there is no sample.

    Example:
        low, high = bootstrap_interval(frechet_distance, real, fake, resamples=50)

    Reference: Efron and Tibshirani, 1993, "An introduction to the bootstrap",
        chapter 13.
    """
    _check_level(level)
    values = resample(statistic, *samples, resamples=resamples, seed=seed)
    arrays = [np.asarray(sample) for sample in samples]
    around = statistic(*arrays) if centred else None
    return interval(values, level, around)


def resample(
    statistic: Callable[..., typing.Any],
    *samples: np.ndarray,
    resamples: int = 200,
    seed: int = 0,
) -> np.ndarray:
    """Computes a statistic of samples that are drawn again with repetition.

    Args:
        statistic, samples, resamples, seed: see `bootstrap_interval`. The statistic may
            also return a sequence of floats.

    Returns: float64 array `(resamples,)`, or `(resamples, length of the sequence)`.

    Raises:
        ValueError: if `resamples` is out of range, or if there is no sample.
    """
    check_count("resamples", resamples, 2)
    if not samples:
        raise ValueError("`samples` must hold at least one array. Received: none.")
    arrays = [np.asarray(sample) for sample in samples]
    generator = np.random.default_rng(seed)
    return np.array(
        [
            statistic(*(x[generator.integers(0, len(x), len(x))] for x in arrays))
            for _ in _tracked(resamples)
        ]
    )


def resample_halves(
    statistic: Callable[..., typing.Any],
    *samples: np.ndarray,
    resamples: int = 200,
    seed: int = 0,
) -> np.ndarray:
    """Computes a statistic of random halves of the samples, without repetition.

    It is for scores that repeated images would distort, by nearest neighbours at
    distance 0 or pairs of equal images in a kernel. The mean of a random half varies
    about that of all n images as much as the mean of n images varies about the true
    one, so that the spread needs no factor.

    Arguments, return values and errors are those of `resample`.

    Reference: Shao and Wu, 1989, "A general theory for jackknife variance
        estimation": the delete-d jackknife with d = n / 2.
    """
    check_count("resamples", resamples, 2)
    arrays = [np.asarray(sample) for sample in samples]
    masks = [half_masks(len(x), resamples, seed + i) for i, x in enumerate(arrays)]
    return np.array(
        [
            statistic(*(x[mask[i]] for x, mask in zip(arrays, masks, strict=True)))
            for i in _tracked(resamples)
        ]
    )


def half_masks(count: int, resamples: int, seed: int = 0) -> np.ndarray:
    """Draws random halves: bool `(resamples, count)`, True for half of each row."""
    generator = np.random.default_rng(seed)
    masks = np.zeros((resamples, count), bool)
    for row in masks:
        row[generator.permutation(count)[: count // 2]] = True
    return masks


def interval(
    values: np.ndarray, level: float = 0.95, around: float | None = None
) -> tuple[float, float]:
    """Computes a confidence interval from resampled values.

    Args:
        values: array `(resamples,)`.
        level: float in (0, 1).
        around: float, or `None`. Value to which the mean of the values is moved.

    Returns: tuple `(low, high)` of floats.

    Raises:
        ValueError: if `level` is out of range.
    """
    _check_level(level)
    shift = 0.0 if around is None else around - np.mean(values)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2]) + shift
    return float(low), float(high)


def _check_level(level):
    if not 0 < level < 1:
        raise ValueError(f"`level` must be in (0, 1). Received: level={level!r}.")


def _tracked(resamples):
    what = "confidence interval"
    return progress.track(range(resamples), resamples, what, "resamples")
