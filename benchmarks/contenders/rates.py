"""Contender: the most floating-point operations a second that TensorFlow reaches here.

The best of some 3x3 convolutions, of the sizes that networks of 32 to 128 pixels have,
and of one matrix product.
"""

import argparse
import time

import tensorflow as tf
from turns import serve

CONVOLUTIONS = ((64, 16, 256), (64, 32, 256), (64, 16, 128), (64, 8, 256))
SIDE = 4096


def main():
    """Find the best kind and repeat it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", default="float32")
    dtype = parser.parse_args().dtype.removeprefix("mixed_")
    kinds = [convolution(*shape, dtype) for shape in CONVOLUTIONS]
    kinds.append(product(dtype))
    times = [measured(function) for function, _ in kinds]
    rates = [flops / t for t, (_, flops) in zip(times, kinds, strict=True)]
    best = max(range(len(rates)), key=rates.__getitem__)
    function, flops = kinds[best]
    names = [f"3x3, {n} x {s} x {s} x {c}" for n, s, c in CONVOLUTIONS]
    serve(function, gflops=flops / 1e9, name=[*names, f"product of {SIDE}"][best])


def convolution(count, size, channels, dtype):
    """Function that runs one 3x3 SAME convolution, and its operations."""
    x = random((count, size, size, channels), dtype)
    kernel = random((3, 3, channels, channels), dtype)

    @tf.function
    def run():
        y = tf.nn.conv2d(x + 0 * x[0, 0, 0, 0], kernel, 1, "SAME")
        return tf.cast(y[0, 0, 0, 0], tf.float32)

    return lambda: float(run()), 2 * 9 * channels**2 * count * size**2


def product(dtype):
    """Function that multiplies two square matrices, and its operations."""
    a = random((SIDE, SIDE), dtype)

    @tf.function
    def run():
        return tf.cast(tf.linalg.matmul(a, a)[0, 0], tf.float32)

    return lambda: float(run()), 2 * SIDE**3


def random(shape, dtype):
    """Normal numbers."""
    return tf.cast(tf.random.stateless_normal(shape, (0, 1)), dtype)


def measured(function):
    """Seconds of a call: the best of four."""
    function()
    times = []
    for _ in range(4):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
