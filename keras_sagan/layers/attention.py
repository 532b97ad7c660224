"""Attention as pure functions, whole or in chunks of queries with recomputation."""

import math

import keras
from keras import ops

# A score matrix (queries x keys) of up to this many entries is computed at once, and
# those of a batch of up to that many (1 GiB in float32); larger ones in chunks of about
# a quarter of it.
WHOLE_MATRIX_ENTRIES = 2**22
WHOLE_BATCH_ENTRIES = 2**28
LARGE_BATCH = 512  # the discriminator's in the presets: of 256 real images
LEAST_QUERIES = 32  # a chunk: fewer leave matrix multiplications slow
LEAST_TURNS = 32  # of a loop over chunks


def attention_scores(queries, keys):
    """Softmax over the keys of `queries keys^T`, without `1/sqrt(d)`, in float32.

    Args:
        queries: float tensor `(batch, n, d)`.
        keys: float tensor `(batch, m, d)`.

    Returns: tensor `(batch, n, m)`, float32 or wider. Row `j` sums to 1 and says
        where output position `j` looks.
    """
    logits = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))
    return ops.softmax(ops.cast(logits, _wide(logits.dtype)), axis=-1)


def attend(queries, keys, values):
    """`softmax(queries keys^T) values`: tensor `(batch, n, e)`."""
    scores = ops.cast(attention_scores(queries, keys), values.dtype)
    return ops.matmul(scores, values)


def attend_in_chunks(queries, keys, values, chunk_size):
    """As `attend`, with memory for `chunk_size x m` scores instead of `n x m`.

    The backward pass computes the scores of each chunk again. Results are equal to
    those of `attend` up to rounding.

    Args:
        queries: float tensor `(batch, n, d)`, `n` known.
        keys: float tensor `(batch, m, d)`.
        values: float tensor `(batch, m, e)`.
        chunk_size: int > 0. Queries per chunk.
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
            upstream = args[0] if upstream is None else upstream

            def add(rows, results, gradients, *sums):
                own, *found = _chunk_gradients(rows, keys, values, results, gradients)
                return own, *(a + b for a, b in zip(sums, found, strict=True))

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
    """What a function gives for chunks of positions, one chunk after another.

    Loops of the backend of `LEAST_TURNS` turns, or of as many turns as there are loops:
    unrolled, a chunk would cost about 1 MiB of graph; one loop would copy all results
    at every turn.

    Args:
        function: of a chunk of each input, `(batch, chunk, channels)`, and the sums so
            far; returns its result `(batch, chunk, depth)` and the new sums.
        inputs: tuple of tensors `(batch, n, channels)`.
        chunk_size: int. Positions a chunk; the last one may have fewer.
        result: depth and dtype of the result.
        sums: tuple of tensors that the first chunk gets.

    Returns: tuple of the results `(batch, n, depth)` and the sums.
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
            found, *sums = function(
                *(_after(_chunk(x, start, chunk_size), window) for x in inputs), *sums
            )
            window = ops.concatenate([window[:, chunk_size:], found], axis=1)
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
    """Positions `start` to `start + size` of a tensor `(batch, n, channels)`."""
    return ops.slice(x, (0, start, 0), (ops.shape(x)[0], size, x.shape[2]))


def _after(x, *results):
    """`x`, which is not there before `results` are: tensors of rank 3.

    TensorFlow would otherwise compute several chunks at the same time. What is added to
    `x` is zero, in a way that no optimiser of graphs sees.
    """
    for result in results:
        corner = ops.stop_gradient(result[:, -1:, :1])
        x = x + ops.cast(ops.minimum(ops.square(corner), 0), x.dtype)
    return x


def _chunk_gradients(queries, keys, values, outputs, upstream):
    """Gradients of `attend`; those of keys and values in float32 or wider."""
    scores = attention_scores(queries, keys)  # (B, chunk, M)
    wide = scores.dtype
    upstream = ops.cast(upstream, wide)
    transposed = ops.transpose(scores, (0, 2, 1))
    value_grads = ops.matmul(transposed, upstream)
    score_grads = ops.matmul(upstream, ops.transpose(ops.cast(values, wide), (0, 2, 1)))
    row_sums = ops.sum(upstream * ops.cast(outputs, wide), axis=-1, keepdims=True)
    logit_grads = scores * (score_grads - row_sums)
    query_grads = ops.matmul(logit_grads, ops.cast(keys, wide))
    key_grads = ops.matmul(
        ops.transpose(logit_grads, (0, 2, 1)), ops.cast(queries, wide)
    )
    return ops.cast(query_grads, queries.dtype), key_grads, value_grads


def _wide(*dtypes):
    """Float32 or wider."""
    return keras.backend.result_type(*dtypes, "float32")


def automatic_chunk_size(queries, keys, batch=1):
    """Queries a chunk for score matrices of `queries x keys`; None for all.

    Args:
        queries: int.
        keys: int.
        batch: int. Images whose scores are in memory at the same time.
    """
    limits = [(WHOLE_MATRIX_ENTRIES, keys), (WHOLE_BATCH_ENTRIES, batch * keys)]
    sizes = [
        max(LEAST_QUERIES, entries // 4 // row)
        for entries, row in limits
        if queries * row > entries
    ]
    return min(sizes, default=None)
