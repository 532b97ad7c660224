"""Contender: attention forward and backward, whole or in chunks."""

import argparse

import tensorflow as tf
from turns import peak_memory_mib, serve

from keras_sagan.layers.attention import attend, attend_in_chunks, automatic_chunk_size

BATCH, DEPTH, WIDTH = 2, 32, 128


def main():
    """Attend to random numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, required=True)
    parser.add_argument("--keys", type=int, required=True)
    parser.add_argument("--form", required=True, choices=("whole", "auto"))
    parser.add_argument("--dtype", default="float32")
    options = parser.parse_args()
    chunk = automatic_chunk_size(options.positions, options.keys)
    if options.form == "whole":
        chunk = None
    dtype = options.dtype.removeprefix("mixed_")
    queries = random((BATCH, options.positions, DEPTH), dtype)
    keys = random((BATCH, options.keys, DEPTH), dtype)
    values = random((BATCH, options.keys, WIDTH), dtype)

    @tf.function
    def run(queries, keys, values):
        inputs = queries, keys, values
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            if chunk is None:
                outputs = attend(*inputs)
            else:
                outputs = attend_in_chunks(*inputs, chunk)
            loss = tf.reduce_sum(tf.square(outputs))
        return outputs, tape.gradient(loss, inputs)

    small = [x[:, :64] for x in (queries, keys, values)]
    tf.linalg.matmul(*small[:2], transpose_b=True)  # the library is set up
    run.get_concrete_function(queries, keys, values)
    before = peak_memory_mib()

    def step():
        outputs, _ = run(queries, keys, values)
        float(outputs[0, 0, 0])

    serve(step, before_mib=before, chunk=chunk)


def random(shape, dtype):
    """Normal numbers, small enough for scores that are not one-hot."""
    return tf.cast(0.3 * tf.random.stateless_normal(shape, (0, 1)), dtype)


if __name__ == "__main__":
    main()
