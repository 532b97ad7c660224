"""Ways between latent vectors, and between classes."""

import numpy as np


def spherical(start, end, shares):
    """Points on the arc between two latent vectors.

    Latents of many dimensions lie near a sphere, where a straight line does not: its
    middle is shorter than what the generator was trained with. Lengths are
    interpolated linearly.

    Args:
        start, end: float arrays `(latent_dim,)`.
        shares: sequence of float in [0, 1]: 0 gives `start`, 1 `end`.

    Returns: float32 array `(len(shares), latent_dim)`.

    Reference: White, 2016, "Sampling Generative Networks", arXiv 1609.04468.
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    shares = np.asarray(shares, np.float64)[:, None]
    lengths = [max(float(np.linalg.norm(x)), 1e-12) for x in (start, end)]
    first, last = start / lengths[0], end / lengths[1]
    angle = np.arccos(np.clip(first @ last, -1.0, 1.0))
    if np.sin(angle) < 1e-6:  # the same direction, or opposite ones: no arc is special
        line = (1 - shares) * start + shares * end
        return line.astype(np.float32)
    arc = np.sin((1 - shares) * angle) * first + np.sin(shares * angle) * last
    radius = (1 - shares) * lengths[0] + shares * lengths[1]
    return (arc / np.sin(angle) * radius).astype(np.float32)


def along(stops, steps):
    """Between which two of several stops each frame is, and how far.

    Args:
        stops: int >= 2.
        steps: int >= 1. Frames from one stop to the next.

    Returns: list of `(index, share)` from stop `index` to `index + 1`, both ends
        included: `(stops - 1) * steps + 1` frames.
    """
    frames = [(i, k / steps) for i in range(stops - 1) for k in range(steps)]
    return [*frames, (stops - 2, 1.0)]
