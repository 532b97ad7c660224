"""Computes the latent vectors of `generate` with operations that ONNX has as well.

ONNX has neither this random number generator nor the inverse of the normal distribution
function. Here, both are composed of additions, multiplications and the like: Philox in
integers below 2^63, and the distribution in float64. The number of operations is small,
because a browser takes seconds to prepare a graph of a thousand.
"""

import math

import numpy as np
import tensorflow as tf

_WORD = 2**32 - 1
_MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57])
_INCREMENTS = np.array([0x9E3779B9, 0xBB67AE85])
_SCRAMBLE = np.array([0x3EC8F720, 0x02461E29])  # TensorFlow's key to turn seeds to keys

# Ratios of polynomials for the middle, the sides and the ends of the normal
# distribution: coefficients of the numerator and the denominator, the highest power
# first (Wichura, 1988, algorithm AS 241, PPND16).
_COEFFICIENTS = np.array([
    [[2509.0809287301226727, 33430.575583588128105, 67265.770927008700853,
      45921.953931549871457, 13731.693765509461125, 1971.5909503065514427,
      133.14166789178437745, 3.387132872796366608],
     [5226.495278852854561, 28729.085735721942674, 39307.89580009271061,
      21213.794301586595867, 5394.1960214247511077, 687.1870074920579083,
      42.313330701600911252, 1.0]],
    [[7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177,
      1.27045825245236838258, 3.64784832476320460504, 5.7694972214606914055,
      4.6303378461565452959, 1.42343711074968357734],
     [1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966,
      0.14810397642748007459, 0.68976733498510000455, 1.6763848301838038494,
      2.05319162663775882187, 1.0]],
    [[2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386,
      0.026532189526576123093, 0.29656057182850489123, 1.7848265399172913358,
      5.4637849111641143699, 6.6579046435011037772],
     [2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5,
      7.868691311456132591e-4, 0.0148753612908506148525, 0.13692988092273580531,
      0.59983220655588793769, 1.0]],
])  # fmt: skip


def composed_latents(seeds, latent_dim, truncation):
    """Draws the same latent vectors as `sampling.row_latents`.

    They are equal up to the last bit of float32.

    Args:
        seeds: int64 tensor `(n,)` with the seed of each row.
        latent_dim: int.
        truncation: float32 tensor `(n,)`; 0 for none.

    Returns: float32 tensor `(n, latent_dim)`.
    """
    bits = tf.cast(_random_bits(seeds, latent_dim), tf.float64)
    uniform = (bits + 0.5) * 2.0**-32
    limit = tf.cast(truncation, tf.float64)[:, tf.newaxis]
    below = tf.where(limit > 0, _below(limit), tf.zeros_like(limit))
    latents = _quantile(below + uniform * (1.0 - 2.0 * below))
    bounded = tf.minimum(tf.maximum(latents, -limit), limit)
    return tf.cast(tf.where(limit > 0, bounded, latents), tf.float32)


# === Philox 4x32-10 (Salmon et al., 2011) ===


def _random_bits(seeds, count):
    """Computes `tf.random.stateless_uniform` of uint32, seeds `[seed, 0]`, as int64."""
    first, second = np.array([1, 0]), np.array([0, 1])
    seeds = seeds[:, tf.newaxis, tf.newaxis]
    low = seeds & _WORD
    high = (seeds - low) // 2**32 & _WORD
    even, odd = _philox(_SCRAMBLE, low * first, high * first)
    key = tf.concat([even[..., :1], odd[..., :1]], -1)
    blocks = np.arange((count + 3) // 4)[:, np.newaxis] * first
    even, odd = _philox(key, blocks + even * second, 0 * blocks + odd * second)
    words = tf.stack([even, odd], -1)
    return tf.reshape(words, (-1, 4 * len(blocks)))[:, :count]


def _philox(key, even, odd):
    """Computes the random words of counters.

    Args:
        key: int64 array or tensor `(..., 2)`.
        even, odd: int64 tensors `(..., 2)` with words 0 and 2, and 1 and 3, of each
            counter.

    Returns: two tensors of the results in the same order.
    """

    def one_round(i, key, even, odd):
        swapped = tf.gather(even, [1, 0], axis=-1)
        high, low = _product(_MULTIPLIERS[::-1], swapped)
        even = tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(high, odd), key)
        return i + 1, (key + _INCREMENTS) & _WORD, even, low

    state = 0, tf.convert_to_tensor(key), even, odd
    return tf.while_loop(lambda i, *_: i < 10, one_round, state)[2:]


def _product(a, b):
    """Returns the upper and lower words of products, without numbers above 2^49."""
    right = a * (b & 0xFFFF)
    left = a * (b // 2**16) + right // 2**16
    return left // 2**16, ((left & 0xFFFF) * 2**16) + (right & 0xFFFF)


# === The normal distribution ===


def _quantile(p):
    """Returns the inverse of the normal distribution function at p in (0, 1)."""
    q = p - 0.5
    r = tf.sqrt(-_log(tf.minimum(p, 1.0 - p)))
    x = tf.stack([0.180625 - q * q, r - 1.6, tf.maximum(r - 5.0, 0.0)], -1)
    x = x[..., tf.newaxis]
    value = _COEFFICIENTS[..., 0]
    for power in range(1, _COEFFICIENTS.shape[-1]):
        value = value * x + _COEFFICIENTS[..., power]
    ratios = value[..., 0] / value[..., 1]
    middle, side, end = tf.unstack(ratios, axis=-1)
    outer = tf.sign(q) * tf.where(r <= 5.0, side, end)
    return tf.where(tf.abs(q) <= 0.425, q * middle, outer)


def _log(x):
    """Returns the logarithm in float64, though that of tf2onnx is one of float32.

    One step of Halley's method corrects it.
    """
    first = tf.math.log(x)
    power = tf.exp(first)
    return first + 2.0 * (x - power) / (x + power)


def _below(limit):
    """Returns the probability below `-limit`, where limit >= 0 has shape `(n, 1)`.

    It uses the trapezoidal rule for the integral of erfc, with the term of its pole,
    which is exact to float64 (Chiarella and Reichel, 1968, Mathematics of Computation
    22, page 137).
    """
    step = 0.5
    x = limit / math.sqrt(2)
    nodes = step * (np.arange(1, 15)[np.newaxis] - 0.5)
    terms = np.exp(-(nodes**2)) / (nodes**2 + x * x)
    total = tf.reduce_sum(terms, axis=1, keepdims=True)
    pole = 2.0 / (1.0 + tf.exp(2 * math.pi / step * x))
    pole = tf.where(x < math.pi / step, pole, tf.zeros_like(x))
    return 0.5 * (2 * step / math.pi * x * tf.exp(-x * x) * total + pole)
