"""Attention as pure functions, whole or in chunks of queries with recomputation."""

import keras
from keras import ops

# A score matrix (queries x keys) of up to this many entries is computed at once;
# larger ones in chunks of about a quarter of it, but at most so many chunks.
WHOLE_MATRIX_ENTRIES = 2**22
MOST_CHUNKS = 128


def attention_scores(queries, keys):
    """Softmax over the keys of `queries keys^T`, without `1/sqrt(d)`, in float32.

    Args:
        queries: float tensor `(batch, n, d)`.
        keys: float tensor `(batch, m, d)`.

    Returns: tensor `(batch, n, m)`, float32 or wider. Row `j` sums to 1 and says
        where output position `j` looks.
    """
    logits = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))
    dtype = keras.backend.result_type(logits.dtype, "float32")
    return ops.softmax(ops.cast(logits, dtype), axis=-1)


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
    chunks = range(0, queries.shape[1], chunk_size)

    @ops.custom_gradient
    def forward(queries, keys, values):
        outputs = []
        for i in chunks:
            rows = _after(queries[:, i : i + chunk_size], *outputs[-1:])
            outputs.append(attend(rows, keys, values))

        def backward(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            query_grads, sums = [], []  # sums of keys' and values' gradients
            for i in chunks:
                own, gradients = (
                    _after(x[:, i : i + chunk_size], *query_grads[-1:], *sums)
                    for x in (queries, upstream)
                )
                dq, *found = _chunk_gradients(own, keys, values, gradients)
                query_grads.append(dq)
                sums = [a + b for a, b in zip(sums or (0.0, 0.0), found, strict=True)]
            key_grads, value_grads = sums
            return (
                ops.concatenate(query_grads, axis=1),
                ops.cast(key_grads, keys.dtype),
                ops.cast(value_grads, values.dtype),
            )

        return ops.concatenate(outputs, axis=1), backward

    return forward(queries, keys, values)


def _after(x, *results):
    """`x`, which is not there before `results` are: tensors of rank 3.

    A backend would otherwise compute all chunks at the same time, and TensorFlow would
    add up their gradients only when all are there. What is added to `x` is zero, in a
    way that no optimiser of graphs sees.
    """
    for result in results:
        corner = ops.stop_gradient(result[:, -1:, :1])
        x = x + ops.cast(ops.minimum(ops.square(corner), 0), x.dtype)
    return x


def _chunk_gradients(queries, keys, values, upstream):
    """Gradients of `attend`; those of keys and values in float32 or wider."""
    scores = attention_scores(queries, keys)  # (B, chunk, M)
    wide = scores.dtype
    upstream = ops.cast(upstream, wide)
    transposed = ops.transpose(scores, (0, 2, 1))
    value_grads = ops.matmul(transposed, upstream)
    score_grads = ops.matmul(upstream, ops.transpose(ops.cast(values, wide), (0, 2, 1)))
    row_sums = ops.sum(score_grads * scores, axis=-1, keepdims=True)
    logit_grads = scores * (score_grads - row_sums)
    query_grads = ops.matmul(logit_grads, ops.cast(keys, wide))
    key_grads = ops.matmul(
        ops.transpose(logit_grads, (0, 2, 1)), ops.cast(queries, wide)
    )
    return ops.cast(query_grads, queries.dtype), key_grads, value_grads


def automatic_chunk_size(queries, keys):
    """Queries a chunk for score matrices of `queries x keys`; None for all."""
    if queries * keys <= WHOLE_MATRIX_ENTRIES:
        return None
    return max(-(-queries // MOST_CHUNKS), WHOLE_MATRIX_ENTRIES // 4 // keys)
