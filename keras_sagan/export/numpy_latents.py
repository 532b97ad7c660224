"""Computes the latent vectors of `generate` with NumPy.

With it, ONNX and LiteRT models give the same picture for a seed as `generate`. They
take latent vectors, because their runtimes lack this random number generator. This
module needs neither TensorFlow nor Keras.
"""

import math
import statistics

import numpy as np

_MASK, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_INCREMENTS = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_SCRAMBLE = 0x3EC8F720, 0x02461E29  # TensorFlow's key to turn seeds to keys

_quantile = np.vectorize(statistics.NormalDist().inv_cdf, otypes=[np.float64])


def row_latents(
    seeds: np.typing.ArrayLike, latent_dim: int, truncation: np.typing.ArrayLike = 0.0
) -> np.ndarray:
    """Draws latent vectors, each of which depends on its own seed and truncation only.

    They are equal to those of `SAGAN.generate` and of the signature `generate`, up to
    the last bit of float32.

    Args:
        seeds: int64 array `(n,)` with the seed of each row.
        latent_dim: int.
        truncation: float, or float array `(n,)`. Entries are drawn from the normal
            distribution truncated to [-truncation, truncation]; 0 for none.

    Returns: float32 array `(n, latent_dim)`.

    Raises:
        ValueError: if a truncation is negative or not finite.
    """
    seeds = np.asarray(seeds, np.int64)
    limits = np.broadcast_to(np.asarray(truncation, np.float32), seeds.shape)
    if not (np.isfinite(limits) & (limits >= 0)).all():
        raise ValueError(
            "`truncation` must be finite and > 0, or 0 for none. "
            f"Received: truncation={truncation!r}."
        )
    uniform = (_random_bits(seeds, latent_dim) + 0.5) * 2.0**-32
    rows = [_row(u, float(t)) for u, t in zip(uniform, limits, strict=True)]
    return np.array(rows, np.float32).reshape(len(seeds), latent_dim)


def _row(uniform, limit):
    if not limit:
        return _quantile(uniform)
    below = 0.5 * math.erfc(limit / math.sqrt(2))  # probability below -limit
    return np.clip(_quantile(below + uniform * (1 - 2 * below)), -limit, limit)


def _random_bits(seeds, count):
    """Computes `tf.random.stateless_uniform` of uint32 with seed `[seed, 0]`, Philox.

    Returns: float64 array `(n, count)` of integers.
    """
    seeds = seeds.view(np.uint64)[:, np.newaxis]
    zeros = np.zeros_like(seeds)
    words = _philox(_SCRAMBLE, (seeds & _MASK, seeds >> _HALF, zeros, zeros))
    *key, third, fourth = np.moveaxis(words[:, 0], -1, 0)[..., np.newaxis]
    blocks = np.arange((count + 3) // 4, dtype=np.uint64)[np.newaxis]
    words = _philox(key, (blocks & _MASK, blocks >> _HALF, third, fourth))
    return words.reshape(len(seeds), -1)[:, :count].astype(np.float64)


def _philox(key, counter):
    """Computes random words with Philox 4x32-10 (Salmon et al., 2011).

    Args:
        key: two uint64 arrays, or ints, of 32-bit words.
        counter: four uint64 arrays of 32-bit words.

    Returns: uint64 array of 32-bit words. Its shape is that to which the arguments are
        broadcast, followed by 4 for the words of each result.
    """
    keys = [np.asarray(x, np.uint64) for x in key]
    c = np.broadcast_arrays(*counter)
    for _ in range(10):
        high, low = _MULTIPLIERS[0] * c[0], _MULTIPLIERS[1] * c[2]
        c = (
            (low >> _HALF) ^ c[1] ^ keys[0],
            low & _MASK,
            (high >> _HALF) ^ c[3] ^ keys[1],
            high & _MASK,
        )
        keys = [(k + step) & _MASK for k, step in zip(keys, _INCREMENTS, strict=True)]
    return np.stack(c, axis=-1)
