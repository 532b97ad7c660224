"""Attention as functions: chunks against the whole, and their memory."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.layers import attention


def tensors(queries=12, keys=5, depth=3, width=4, dtype="float64"):
    rng = np.random.default_rng(0)
    shapes = [(2, queries, depth), (2, keys, depth), (2, keys, width)]
    return [tf.constant(rng.normal(size=shape), dtype) for shape in shapes]


def value_and_gradients(function, arguments):
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        outputs = function(*arguments)
        weights = np.random.default_rng(1).normal(size=outputs.shape)
        loss = tf.reduce_sum(tf.cast(outputs, "float64") * weights)
    return [outputs, *tape.gradient(loss, arguments)]


@pytest.mark.parametrize(
    ("queries", "chunk"),
    [
        *[(12, chunk) for chunk in (1, 4, 5, 11, 12, 13)],
        (70, 2),  # two loops, of 32 and of 3 turns
        (71, 2),  # and a rest
        pytest.param(1200, 1, marks=pytest.mark.slow),  # loops of more turns
    ],
)
def test_chunks_equal_the_whole(queries, chunk):
    arguments = tensors(queries)
    expected = value_and_gradients(attention.attend, arguments)
    values = value_and_gradients(
        lambda *args: attention.attend_in_chunks(*args, chunk), arguments
    )
    for value, other in zip(values, expected, strict=True):
        assert value.dtype == other.dtype
        np.testing.assert_allclose(value, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("compiled", [False, True])
def test_second_order_gradients_of_chunks(compiled):
    """As a gradient penalty needs them."""

    def second(attend):
        def penalty(*arguments):
            with tf.GradientTape() as tape:
                tape.watch(arguments)
                found = value_and_gradients(attend, arguments)
                squares = [tf.reduce_sum(tf.square(x)) for x in found]
                total = tf.add_n(squares)
            return tape.gradient(total, arguments)

        return tf.function(penalty) if compiled else penalty

    arguments = tensors(70)
    expected = second(attention.attend)(*arguments)
    found = second(lambda *x: attention.attend_in_chunks(*x, 2))(*arguments)
    for value, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-10, atol=1e-12)


def test_chunks_under_bfloat16():
    arguments = tensors(dtype="bfloat16")
    wide = [tf.cast(x, "float32") for x in arguments]
    expected = value_and_gradients(attention.attend, wide)
    values = value_and_gradients(
        lambda *args: attention.attend_in_chunks(*args, 5), arguments
    )
    for value, other in zip(values, expected, strict=True):
        assert value.dtype == tf.bfloat16
        np.testing.assert_allclose(
            tf.cast(value, "float32"), other, rtol=0.03, atol=0.03
        )


def test_scores_are_finite_for_large_logits():
    queries, keys, _ = tensors()
    scores = attention.attention_scores(1e4 * queries, keys)
    np.testing.assert_allclose(np.sum(scores, axis=-1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
def test_scores_are_float32_or_wider(dtype):
    queries, keys, _ = tensors(dtype=dtype)
    scores = attention.attention_scores(queries, keys)
    assert scores.dtype == ("float64" if dtype == "float64" else "float32")


@pytest.mark.parametrize(
    ("queries", "keys", "expected"),
    [
        (32 * 32, 16 * 16, None),  # 128 px, attention at 32
        (64 * 64, 32 * 32, None),  # 2^22 scores: just whole
        (64 * 64, 64 * 64, 256),  # the paper's setting at 64
        (128 * 128, 64 * 64, 256),
        (256 * 256, 128 * 128, 64),
        (129, 2**22, 32),  # no fewer than 32
    ],
)
def test_automatic_chunk_size(queries, keys, expected):
    assert attention.automatic_chunk_size(queries, keys) == expected


@pytest.mark.parametrize(
    ("batch", "queries", "keys", "expected"),
    [
        (128, 16 * 16, 8 * 8, None),  # sagan_32: D's pass of real and generated images
        (512, 32 * 32, 16 * 16, None),  # sagan_64, sagan_128_official
        (512, 64 * 64, 32 * 32, 128),  # sagan_128: 8 GiB of scores
        (512, 32 * 32, 32 * 32, 128),  # sagan_128_paper: 2 GiB
        (64, 64 * 64, 32 * 32, None),  # 1 GiB: just whole
        (65, 64 * 64, 32 * 32, 1008),
        (1, 64 * 64, 64 * 64, 256),  # as of one image
        (512, 64 * 64, 64 * 64, 32),
        (2**20, 64 * 64, 32 * 32, 32),  # no fewer than 32
    ],
)
def test_automatic_chunk_size_of_a_batch(batch, queries, keys, expected):
    found = attention.automatic_chunk_size(queries, keys, batch)
    assert found == expected
    if found is not None and found > 32:
        assert 4 * found * keys * batch <= 2**28


def test_no_tensor_of_a_chunked_pass_is_as_large_as_the_whole_map():
    """Forward and backward in a graph: nothing of `queries x keys` is ever made."""

    def largest(function):
        return max(
            output.shape.num_elements() or 0
            for graph in graphs(function)
            for operation in graph.get_operations()
            for output in operation.outputs
        )

    chunked = largest(lambda *args: attention.attend_in_chunks(*args, 8))
    assert largest(attention.attend) == 2 * 64 * 32
    assert chunked <= 2 * 64 * 4  # the outputs; a chunk of the map has as many


def test_chunks_wait_for_each_other():
    """What is of a chunk's size comes after the results of the chunk before.

    Otherwise a backend computes several at a time and holds the scores of all.
    """
    main, *inner = graphs(lambda *args: attention.attend_in_chunks(*args, 1))
    loops = [x for x in main.get_operations() if x.type in LOOPS]
    assert len(loops) == 2 * 2  # 64 turns of at most 32, forward and backward
    for earlier, later in itertools.combinations(loops, 2):
        assert earlier in ancestors(later) or later in ancestors(earlier)
    heavy = [
        operation
        for graph in inner
        for operation in graph.get_operations()
        if operation.type in ("Softmax", "BatchMatMulV2")
    ]
    kinds = [operation.type for operation in heavy]
    assert kinds.count("Softmax") == 4
    assert kinds.count("BatchMatMulV2") == 2 * 2 + 2 * 5
    for operation in heavy:
        window = operation.graph.inputs[WINDOW].op
        assert window in ancestors(operation)


LOOPS = ("While", "StatelessWhile")
WINDOW = 3  # inputs of a body: counter, maximum, turn, then results so far


def graphs(function):
    """Of value and gradients, with all that it calls."""
    arguments = tensors(queries=64, keys=32)
    main = (
        tf.function(lambda *args: value_and_gradients(function, list(args)))
        .get_concrete_function(*arguments)
        .graph
    )
    return [main, *bodies(main)]


def bodies(graph):
    for operation in graph.get_operations():
        if operation.type in LOOPS:
            name = operation.get_attr("body").name
            body = graph._get_function(name).graph
            yield body
            yield from bodies(body)


def ancestors(operation):
    """All operations that one waits for."""
    found, open_ones = set(), [operation]
    while open_ones:
        for tensor in open_ones.pop().inputs:
            if tensor.op not in found:
                found.add(tensor.op)
                open_ones.append(tensor.op)
    return found
