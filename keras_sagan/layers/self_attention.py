"""Two-dimensional self-attention (Zhang et al., 2019) and its residual control."""

import keras
from keras import ops

from keras_sagan.layers.spectral_normalization import SpectralNormalization

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
        outputs = [
            attend(queries[:, i : i + chunk_size], keys, values) for i in chunks
        ]

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
    score_grads = ops.matmul(
        upstream, ops.transpose(ops.cast(values, wide), (0, 2, 1))
    )
    row_sums = ops.sum(score_grads * scores, axis=-1, keepdims=True)
    logit_grads = scores * (score_grads - row_sums)
    query_grads = ops.matmul(logit_grads, ops.cast(keys, wide))
    key_grads = ops.matmul(
        ops.transpose(logit_grads, (0, 2, 1)), ops.cast(queries, wide)
    )
    return ops.cast(query_grads, queries.dtype), key_grads, value_grads


@keras.saving.register_keras_serializable(package="keras_sagan")
class SelfAttention2D(keras.layers.Layer):
    """Every position of a feature map attends to every other one.

    With `x` of shape `(batch, H, W, C)`, `N = H W` positions and 1x1 convolutions
    without bias (names: here / paper / BigGAN code): query `q` / `f` / `theta`,
    key `k` / `g` / `phi`, value `v` / `h` / `g`, output `W_o` / `v` / `o`:

    `A = softmax(q k^T)` over the attended positions, `y = x + gamma * W_o(A v)`,

    `gamma` a scalar initialised to 0, so that training starts from local features.
    There is no `1/sqrt(d)`. The softmax is computed in float32 under every dtype
    policy. Three settings are published (tested against explicit loops):

    | setting | `key_ratio` | `value_ratio` | `pool_size` | `use_output_projection` |
    |---|---|---|---|---|
    | released code (default) | 8 | 2 | 2 | True |
    | paper, section 3 | 8 | 8 | 1 | True |
    | formula of the tutorials | 8 | 1 | 1 | False |

    Args:
        key_ratio: int. Queries and keys have `C / key_ratio` channels. Defaults to
            `8` (source: paper, section 3, and official code, `non_local.py`).
        value_ratio: int. Values have `C / value_ratio` channels. Defaults to `2`
            (source: official code, `non_local.py`; the paper says 8).
        pool_size: int. Keys and values are max-pooled by this after their
            convolution; `1` for no pooling. Defaults to `2` (source: official code;
            the paper does not pool).
        use_output_projection: bool. Whether there is a `W_o`. Without it
            `value_ratio` must be 1.
        spectral_norm: bool. Whether the convolutions are spectrally normalised.
            Defaults to `True` (source: official code).
        query_chunk_size: `"auto"`, `None` or int > 0. Queries whose scores are held
            in memory at once; `None` for all. `"auto"` takes all of them up to
            4 million scores an image.
        kernel_initializer: initializer of the four kernels. Defaults to
            `"glorot_uniform"` (source: official code, `ops.py`).

    Call arguments:
        inputs: float tensor `(batch, height, width, channels)`; height, width and
            channels known.
        training: bool. Whether the spectral normalisation advances.
        return_attention_scores: bool. Whether to return the map `A` as well.

    Returns: tensor of the shape of the input, compute dtype; with
        `return_attention_scores=True` also `A`, `(batch, H * W, M)` float32 with
        `M = H * W / pool_size^2`, both in row-major order.

    Raises:
        ValueError: if an argument is out of range, or the channels do not divide by
            the ratios, or height and width by `pool_size`.

    Reference: [Zhang et al., 2019](https://arxiv.org/abs/1805.08318), section 3.
    """

    def __init__(
        self,
        key_ratio=8,
        value_ratio=2,
        pool_size=2,
        use_output_projection=True,
        spectral_norm=True,
        query_chunk_size="auto",
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in [
            ("key_ratio", key_ratio),
            ("value_ratio", value_ratio),
            ("pool_size", pool_size),
        ]:
            _check_positive(name, value)
        if query_chunk_size not in ("auto", None):
            _check_positive("query_chunk_size", query_chunk_size)
        if not use_output_projection and value_ratio != 1:
            raise ValueError(
                "Without an output projection the values must have all channels: "
                f"`value_ratio` must be 1. Received: value_ratio={value_ratio!r}, "
                f"use_output_projection={use_output_projection!r}."
            )
        self.key_ratio = key_ratio
        self.value_ratio = value_ratio
        self.pool_size = pool_size
        self.use_output_projection = use_output_projection
        self.spectral_norm = spectral_norm
        self.query_chunk_size = query_chunk_size
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        _, height, width, channels = input_shape
        self._check_input_shape(input_shape)
        self.query = self._projection(channels // self.key_ratio, "query")
        self.key = self._projection(channels // self.key_ratio, "key")
        self.value = self._projection(channels // self.value_ratio, "value")
        for layer in (self.query, self.key, self.value):
            layer.build(input_shape)
        self.output_projection = None
        if self.use_output_projection:
            self.output_projection = self._projection(channels, "output")
            self.output_projection.build(
                (None, height, width, channels // self.value_ratio)
            )
        self.gamma = _add_gamma(self)

    def call(self, inputs, training=False, return_attention_scores=False):
        _, height, width, _ = inputs.shape
        queries = self._flatten(self.query(inputs, training=training))  # (B, N, d)
        keys = self._pool(self.key(inputs, training=training))  # (B, M, d)
        values = self._pool(self.value(inputs, training=training))  # (B, M, e)
        scores = None
        if return_attention_scores:
            scores = attention_scores(queries, keys)
            attended = ops.matmul(ops.cast(scores, values.dtype), values)
        else:
            attended = self._attend(queries, keys, values)
        attended = ops.reshape(attended, (-1, height, width, values.shape[-1]))
        if self.output_projection is not None:
            attended = self.output_projection(attended, training=training)
        outputs = inputs + ops.convert_to_tensor(self.gamma) * attended
        return (outputs, scores) if return_attention_scores else outputs

    def compute_output_spec(
        self, inputs, training=False, return_attention_scores=False
    ):
        outputs = keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
        if not return_attention_scores:
            return outputs
        batch, height, width, _ = inputs.shape
        queries, keys = height * width, height * width // self.pool_size**2
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        return outputs, keras.KerasTensor((batch, queries, keys), dtype=dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "key_ratio": self.key_ratio,
            "value_ratio": self.value_ratio,
            "pool_size": self.pool_size,
            "use_output_projection": self.use_output_projection,
            "spectral_norm": self.spectral_norm,
            "query_chunk_size": self.query_chunk_size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _attend(self, queries, keys, values):
        positions = queries.shape[1]
        chunk_size = self.query_chunk_size
        if chunk_size == "auto":
            chunk_size = _automatic_chunk_size(positions, keys.shape[1])
        if chunk_size is None or chunk_size >= positions:
            return attend(queries, keys, values)
        return attend_in_chunks(queries, keys, values, chunk_size)

    def _projection(self, filters, name):
        return _pointwise(
            self, filters, 1, name, self.kernel_initializer, self.spectral_norm
        )

    def _flatten(self, x):
        return ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3]))

    def _pool(self, x):
        if self.pool_size > 1:
            x = ops.max_pool(x, self.pool_size, strides=self.pool_size)
        return self._flatten(x)

    def _check_input_shape(self, input_shape):
        _, height, width, channels = input_shape
        if None in (height, width, channels):
            raise ValueError(
                "Height, width and channels of the input must be known. "
                f"Received: input shape {tuple(input_shape)}."
            )
        for name in ("key_ratio", "value_ratio"):
            if channels % getattr(self, name):
                raise ValueError(
                    f"The input channels must divide by `{name}`. Received: "
                    f"channels={channels}, {name}={getattr(self, name)}."
                )
        if height % self.pool_size or width % self.pool_size:
            raise ValueError(
                "Height and width must divide by `pool_size`. Received: input shape "
                f"{tuple(input_shape)}, pool_size={self.pool_size}."
            )


@keras.saving.register_keras_serializable(package="keras_sagan")
class GatedResidual2D(keras.layers.Layer):
    """The control for `SelfAttention2D`: as many parameters, but only local.

    `y = x + gamma * conv1x1(conv3x3(relu(x)))` with `C / bottleneck_ratio` channels
    in between, without bias, spectrally normalised, `gamma` a scalar initialised to
    0. With the default ratio it has exactly the `1.25 C^2 + 1` parameters of the
    released attention (3x3xCxC/8 + C/8xC): the comparison of the paper's Table 1,
    which does not say what its residual block looked like inside.

    Args:
        bottleneck_ratio: int > 0.
        kernel_initializer: initializer of both kernels.

    Call arguments:
        inputs: float tensor `(batch, height, width, channels)`.
        training: bool. Whether the spectral normalisation advances.

    Returns: tensor of the shape of the input, compute dtype.

    Raises:
        ValueError: if the channels do not divide by `bottleneck_ratio`.
    """

    def __init__(
        self, bottleneck_ratio=8, kernel_initializer="glorot_uniform", **kwargs
    ):
        super().__init__(**kwargs)
        _check_positive("bottleneck_ratio", bottleneck_ratio)
        self.bottleneck_ratio = bottleneck_ratio
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels % self.bottleneck_ratio:
            raise ValueError(
                "The input channels must divide by `bottleneck_ratio`. Received: "
                f"channels={channels}, bottleneck_ratio={self.bottleneck_ratio}."
            )
        inner = channels // self.bottleneck_ratio
        self.reduce = _pointwise(self, inner, 3, "reduce", self.kernel_initializer)
        self.expand = _pointwise(self, channels, 1, "expand", self.kernel_initializer)
        self.reduce.build(input_shape)
        self.expand.build((*input_shape[:-1], inner))
        self.gamma = _add_gamma(self)

    def call(self, inputs, training=False):
        hidden = self.reduce(ops.relu(inputs), training=training)
        hidden = self.expand(hidden, training=training)
        return inputs + ops.convert_to_tensor(self.gamma) * hidden

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "bottleneck_ratio": self.bottleneck_ratio,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


def _pointwise(parent, filters, size, name, initializer, spectral_norm=True):
    """A bias-free convolution of `parent`, in its dtype policy."""
    conv = keras.layers.Conv2D(
        filters,
        size,
        padding="same",
        use_bias=False,
        kernel_initializer=initializer,
        dtype=parent.dtype_policy,
        name=name,
    )
    return SpectralNormalization(conv, name=name) if spectral_norm else conv


def _add_gamma(layer):
    return layer.add_weight(name="gamma", shape=(), initializer="zeros")


def _automatic_chunk_size(queries, keys):
    if queries * keys <= WHOLE_MATRIX_ENTRIES:
        return None
    return max(1, WHOLE_MATRIX_ENTRIES // 4 // keys)


def _check_positive(name, value):
    if isinstance(value, bool) or not (isinstance(value, int) and value > 0):
        raise ValueError(f"`{name}` must be an integer > 0. Received: {name}={value!r}.")
