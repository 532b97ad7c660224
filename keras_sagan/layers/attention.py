"""Attention as pure functions: all queries at once, or in chunks to save memory.

In chunks, the score matrix never exists as a whole; the backward pass computes the
scores of each chunk again.
"""

import math

import keras
from keras import ops

# The scores (queries x keys) are computed at once if those of an image have at most
# `WHOLE_MATRIX_ENTRIES` and those of a batch at most `WHOLE_BATCH_ENTRIES` entries
# (1 GiB in float32). Beyond that, a chunk has about a quarter of the limit.
WHOLE_MATRIX_ENTRIES = 2**22
WHOLE_BATCH_ENTRIES = 2**28
LARGE_BATCH = 512  # of the discriminator in the presets: 256 real and 256 fake images
LEAST_QUERIES = 32  # per chunk; matrix multiplications are slow with fewer
LEAST_TURNS = 32  # of a loop over chunks


def attention_scores(queries, keys):
    """Computes the softmax of `queries keys^T` over the keys, in float32 or wider.

    The scores are not scaled by `1/sqrt(d)`.

    Args:
        queries: float tensor `(batch, n, d)`.
        keys: float tensor `(batch, m, d)`.

    Returns: tensor `(batch, n, m)`, float32 or wider. Row `j` sums to 1 and holds the
        weights with which output position `j` attends to the keys.
    """
    logits = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))
    return ops.softmax(ops.cast(logits, _wide(logits.dtype)), axis=-1)


def attend(queries, keys, values):
    """Computes `softmax(queries keys^T) values`.

    Args:
        queries: float tensor `(batch, n, d)`.
        keys: float tensor `(batch, m, d)`.
        values: float tensor `(batch, m, e)`.

    Returns: tensor `(batch, n, e)` of the dtype of `values`.
    """
    scores = ops.cast(attention_scores(queries, keys), values.dtype)
    return ops.matmul(scores, values)


def attend_in_chunks(queries, keys, values, chunk_size):
    """Computes `attend` with memory for `chunk_size x m` scores instead of `n x m`.

    The backward pass computes the scores of each chunk again. Results equal those of
    `attend` up to rounding.

    Args:
        queries: float tensor `(batch, n, d)` with a static `n`.
        keys: float tensor `(batch, m, d)`.
        values: float tensor `(batch, m, e)`.
        chunk_size: int > 0. Number of queries per chunk.

    Returns: tensor `(batch, n, e)` of the dtype of `values`.
    """
    wide = _wide(queries.dtype, keys.dtype)

    @ops.custom_gradient
    def forward(queries, keys, values):
        outputs = _for_chunks(
            lambda rows: (attend(rows, keys, values),),
            (queries,),
            chunk_size,
            (values.shape[2], values.dtype),
        )[0]

        def backward(*args, upstream=None):
            # Backends differ in how they pass the upstream gradient.
            upstream = args[0] if upstream is None else upstream

            def add(rows, results, gradients, *sums):
                own, *shared = _chunk_gradients(rows, keys, values, results, gradients)
                return own, *(a + b for a, b in zip(sums, shared, strict=True))

            query_grads, key_grads, value_grads = _for_chunks(
                add,
                (queries, outputs, upstream),
                chunk_size,
                (queries.shape[2], queries.dtype),
                (ops.zeros_like(keys, wide), ops.zeros_like(values, wide)),
            )
            return (
                query_grads,
                ops.cast(key_grads, keys.dtype),
                ops.cast(value_grads, values.dtype),
            )

        return outputs, backward

    return forward(queries, keys, values)


def _for_chunks(function, inputs, chunk_size, result, sums=()):
    """Applies a function to chunks of positions, one chunk after the other.

    The chunks are spread over several loops of the backend, each of `LEAST_TURNS`
    turns or, if that is more, of as many turns as there are loops. Unrolled, each chunk
    would add about 1 MiB to the graph; a single loop would copy all results at every
    turn.

    Args:
        function: function of a chunk of each input, `(batch, chunk, channels)`, and of
            the sums so far. It returns its result `(batch, chunk, depth)` and the new
            sums.
        inputs: tuple of tensors `(batch, n, channels)`.
        chunk_size: int. Number of positions per chunk; the last chunk may have fewer.
        result: tuple of the depth and the dtype of the result.
        sums: tuple of tensors, the initial sums.

    Returns: tuple of the results `(batch, n, depth)` and the final sums.
    """
    batch, positions = ops.shape(inputs[0])[0], inputs[0].shape[1]
    depth, dtype = result
    chunks, rest = divmod(positions, chunk_size)
    turns = max(LEAST_TURNS, math.isqrt(chunks))
    results = []
    for first in range(0, chunks, turns):
        count = min(turns, chunks - first)

        def turn(i, state, first=first):
            window, *sums = state
            start = (first + i) * chunk_size
            chunk, *sums = function(
                *(_after(_chunk(x, start, chunk_size), window) for x in inputs), *sums
            )
            # After the last turn the initial zeros have been shifted out.
            window = ops.concatenate([window[:, chunk_size:], chunk], axis=1)
            return window, *sums

        window = ops.zeros((batch, count * chunk_size, depth), dtype)
        state = (_after(window, *results[-1:]), *sums)
        window, *sums = ops.fori_loop(0, count, turn, state)
        results.append(window)
    if rest:
        last = (_after(x[:, -rest:], *results[-1:]) for x in inputs)
        window, *sums = function(*last, *sums)
        results.append(window)
    return ops.concatenate(results, axis=1), *sums


def _chunk(x, start, size):
    """Returns `size` positions from `start` on of a tensor `(batch, n, channels)`."""
    return ops.slice(x, (0, start, 0), (ops.shape(x)[0], size, x.shape[2]))


def _after(x, *results):
    """Returns `x` in such a way that it can only be computed after `results`.

    TensorFlow would otherwise compute several chunks at the same time, which takes the
    memory that chunks are meant to save. The added term is always zero, but not in a
    way that graph optimisers recognise. `x` and `results` are tensors of rank 3.
    """
    for result in results:
        corner = ops.stop_gradient(result[:, -1:, :1])
        x = x + ops.cast(ops.minimum(ops.square(corner), 0), x.dtype)
    return x


def _chunk_gradients(queries, keys, values, outputs, upstream):
    """Computes the gradients of `attend` for a chunk of queries.

    Args:
        queries: float tensor `(batch, chunk, d)`.
        keys: float tensor `(batch, m, d)`.
        values: float tensor `(batch, m, e)`.
        outputs: tensor `(batch, chunk, e)`, the result of `attend`.
        upstream: tensor `(batch, chunk, e)`, the gradient of the outputs.

    Returns: tuple of the gradients of queries, keys and values. Those of keys and
        values are float32 or wider, because they will be added up over the chunks.
    """
    scores = attention_scores(queries, keys)  # (B, chunk, M)
    wide = scores.dtype
    upstream = ops.cast(upstream, wide)
    transposed = ops.transpose(scores, (0, 2, 1))
    value_grads = ops.matmul(transposed, upstream)
    score_grads = ops.matmul(upstream, ops.transpose(ops.cast(values, wide), (0, 2, 1)))
    # Gradient of a softmax: `p * (g - sum(p * g))`, where `sum(p * g)` over the keys
    # equals `sum(upstream * outputs)` over the channels.
    row_sums = ops.sum(upstream * ops.cast(outputs, wide), axis=-1, keepdims=True)
    logit_grads = scores * (score_grads - row_sums)
    query_grads = ops.matmul(logit_grads, ops.cast(keys, wide))
    key_grads = ops.matmul(
        ops.transpose(logit_grads, (0, 2, 1)), ops.cast(queries, wide)
    )
    return ops.cast(query_grads, queries.dtype), key_grads, value_grads


def _wide(*dtypes):
    """Returns the result dtype of `dtypes`, but at least float32."""
    return keras.backend.result_type(*dtypes, "float32")


def automatic_chunk_size(queries, keys, batch=1):
    """Chooses the number of queries per chunk.

    Args:
        queries: int. Rows of the score matrix of an image.
        keys: int. Columns of the score matrix.
        batch: int. Number of images whose scores are in memory at the same time.

    Returns: int, or None if all queries can be computed at once.
    """
    limits = [(WHOLE_MATRIX_ENTRIES, keys), (WHOLE_BATCH_ENTRIES, batch * keys)]
    sizes = [
        max(LEAST_QUERIES, entries // 4 // row)
        for entries, row in limits
        if queries * row > entries
    ]
    return min(sizes, default=None)
