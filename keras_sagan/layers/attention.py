"""Attention as pure functions, whole or in chunks of queries with recomputation."""

import keras
from keras import ops

# A score matrix (queries x keys) of up to this many entries is computed at once;
# larger ones in chunks of queries of about a quarter of it.
WHOLE_MATRIX_ENTRIES = 2**22


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
        outputs = [attend(queries[:, i : i + chunk_size], keys, values) for i in chunks]

        def backward(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            query_grads, key_grads, value_grads = [], 0.0, 0.0
            for i in chunks:
                rows = slice(i, i + chunk_size)
                dq, dk, dv = _chunk_gradients(
                    queries[:, rows], keys, values, upstream[:, rows]
                )
                query_grads.append(dq)
                key_grads = key_grads + dk
                value_grads = value_grads + dv
            return (
                ops.concatenate(query_grads, axis=1),
                ops.cast(key_grads, keys.dtype),
                ops.cast(value_grads, values.dtype),
            )

        return ops.concatenate(outputs, axis=1), backward

    return forward(queries, keys, values)


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
    return max(1, WHOLE_MATRIX_ENTRIES // 4 // keys)
