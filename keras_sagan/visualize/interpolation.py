"""Interpolates between latent vectors, and between classes."""

import numpy as np


def spherical(start, end, shares):
    """Interpolates between two latent vectors along an arc.

    Latent vectors of many dimensions lie near a sphere. The middle of a straight line
    between two of them does not: it is shorter than the vectors that the generator was
    trained with. The lengths of the vectors are interpolated linearly.

    Args:
        start, end: float arrays `(latent_dim,)`.
        shares: sequence of float in [0, 1], where 0 gives `start` and 1 gives `end`.

    Returns: float32 array `(len(shares), latent_dim)`.

    Reference: White, 2016, "Sampling Generative Networks", arXiv 1609.04468.
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    shares = np.asarray(shares, np.float64)[:, None]
    lengths = [max(float(np.linalg.norm(x)), 1e-12) for x in (start, end)]
    first, last = start / lengths[0], end / lengths[1]
    angle = np.arccos(np.clip(first @ last, -1.0, 1.0))
    if np.sin(angle) < 1e-6:  # no unique arc between equal or opposite directions
        line = (1 - shares) * start + shares * end
        return line.astype(np.float32)
    arc = np.sin((1 - shares) * angle) * first + np.sin(shares * angle) * last
    radius = (1 - shares) * lengths[0] + shares * lengths[1]
    return (arc / np.sin(angle) * radius).astype(np.float32)


def along(stops, steps):
    """Returns the positions of the frames on a path through several stops.

    Args:
        stops: int >= 2. Number of stops.
        steps: int >= 1. Number of frames from one stop to the next.

    Returns: list of `(stops - 1) * steps + 1` tuples `(index, share)`, where `share` is
        the position between stops `index` and `index + 1`. Both ends are included.
    """
    frames = [(i, k / steps) for i in range(stops - 1) for k in range(steps)]
    return [*frames, (stops - 2, 1.0)]
