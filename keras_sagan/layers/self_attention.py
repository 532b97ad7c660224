"""Two-dimensional self-attention (Zhang et al., 2019)."""

import typing
import zlib

import keras
from keras import ops

from keras_sagan.layers.attention import (
    LARGE_BATCH,
    attend,
    attend_in_chunks,
    attention_scores,
    automatic_chunk_size,
)
from keras_sagan.layers.checks import (
    Shape,
    Tensor,
    check_channels_last,
    check_positive_integer,
)
from keras_sagan.layers.spectral_normalization import SpectralNormalization


@keras.saving.register_keras_serializable(package="keras_sagan")
class SelfAttention2D(keras.layers.Layer):
    """Self-attention in which every position of a feature map attends to all others.

    The input `x` has shape `(batch, H, W, C)`, that is, `N = H W` positions. Query,
    key, value and output are 1x1 convolutions without bias (names here / in the paper /
    in the BigGAN code: query `q` / `f` / `theta`, key `k` / `g` / `phi`, value
    `v` / `h` / `g`, output `W_o` / `v` / `o`):

    `A = softmax(q k^T)` over the attended positions, `y = x + gamma * W_o(A v)`,

    where `gamma` is a scalar initialised to 0, so that training starts from local
    features. The scores are not scaled by `1/sqrt(d)`. The softmax is computed in
    float32 under every dtype policy. Three settings have been published (each tested
    against explicit loops):

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
        pool_size: int. Size of the max pooling of keys and values after their
            convolution; `1` for no pooling. Defaults to `2` (source: official code;
            the paper does not pool).
        use_output_projection: bool. Whether there is a `W_o`. If not, `value_ratio`
            must be 1.
        spectral_norm: bool. Whether the convolutions are spectrally normalised.
            Defaults to `True` (source: official code).
        query_chunk_size: `"auto"`, `None` or int > 0. Number of queries whose scores
            are held in memory at once; `None` for all of them. `"auto"` means all of
            them up to 4 million scores per image and 268 million (1 GiB) per batch. A
            batch of unknown size counts as 512 images in training, otherwise as one.
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
        ValueError: if an argument is out of range, if the number of channels is not a
            multiple of the ratios, or if height and width are not multiples of
            `pool_size`.

    Reference: [Zhang et al., 2019](https://arxiv.org/abs/1805.08318), section 3.
    """

    def __init__(
        self,
        key_ratio: int = 8,
        value_ratio: int = 2,
        pool_size: int = 2,
        use_output_projection: bool = True,
        spectral_norm: bool = True,
        query_chunk_size: int | typing.Literal["auto"] | None = "auto",
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**kwargs)
        check_channels_last(type(self).__name__)
        self.key_ratio = check_positive_integer("key_ratio", key_ratio)
        self.value_ratio = check_positive_integer("value_ratio", value_ratio)
        self.pool_size = check_positive_integer("pool_size", pool_size)
        if query_chunk_size not in ("auto", None):
            query_chunk_size = check_positive_integer(
                "query_chunk_size", query_chunk_size
            )
        if not use_output_projection and value_ratio != 1:
            raise ValueError(
                "Without an output projection the values must have all channels: "
                f"`value_ratio` must be 1. Received: value_ratio={value_ratio!r}, "
                f"use_output_projection={use_output_projection!r}."
            )
        self.use_output_projection = use_output_projection
        self.spectral_norm = spectral_norm
        self.query_chunk_size = query_chunk_size
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: Shape) -> None:
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
        self.gamma = add_gate(self)

    def call(
        self,
        inputs: Tensor,
        training: bool = False,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        self._check_input_shape(inputs.shape)  # it may be called at other sizes
        _, height, width, _ = inputs.shape
        queries = self._flatten(self.query(inputs, training=training))  # (B, N, d)
        keys = self._pool(self.key(inputs, training=training))  # (B, M, d)
        values = self._pool(self.value(inputs, training=training))  # (B, M, e)
        scores = None
        if return_attention_scores:
            scores = attention_scores(queries, keys)
            attended = ops.matmul(ops.cast(scores, values.dtype), values)
        else:
            attended = self._attend(queries, keys, values, training)
        attended = ops.reshape(attended, (-1, height, width, values.shape[-1]))
        if self.output_projection is not None:
            attended = self.output_projection(attended, training=training)
        outputs = inputs + ops.convert_to_tensor(self.gamma) * attended
        return (outputs, scores) if return_attention_scores else outputs

    def compute_output_spec(
        self,
        inputs: Tensor,
        training: bool = False,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        self._check_input_shape(inputs.shape)
        outputs = keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
        if not return_attention_scores:
            return outputs
        batch, height, width, _ = inputs.shape
        queries, keys = height * width, height * width // self.pool_size**2
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        return outputs, keras.KerasTensor((batch, queries, keys), dtype=dtype)

    def get_config(self) -> dict:
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

    def _attend(self, queries, keys, values, training):
        batch, positions, _ = queries.shape
        chunk_size = self.query_chunk_size
        if chunk_size == "auto":
            batch = batch or (LARGE_BATCH if training else 1)
            chunk_size = automatic_chunk_size(positions, keys.shape[1], batch)
        if chunk_size is None or chunk_size >= positions:
            return attend(queries, keys, values)
        return attend_in_chunks(queries, keys, values, chunk_size)

    def _projection(self, filters, name):
        return projection(
            self, filters, 1, name, self.kernel_initializer, self.spectral_norm
        )

    def _flatten(self, x):
        return ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3]))

    def _pool(self, x):
        if self.pool_size > 1:
            # In float32, because gradient penalties need the second derivative of
            # pooling, which XLA has in no other dtype. A maximum is exact in any.
            wide = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
            pooled = ops.max_pool(wide, self.pool_size, strides=self.pool_size)
            x = ops.cast(pooled, x.dtype)
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
                    f"The number of input channels must be divisible by `{name}`. "
                    f"Received: channels={channels}, {name}={getattr(self, name)}."
                )
        if height % self.pool_size or width % self.pool_size:
            raise ValueError(
                "Height and width must be divisible by `pool_size`. Received: input "
                f"shape {tuple(input_shape)}, pool_size={self.pool_size}."
            )


def projection(parent, filters, size, name, initializer, spectral_norm=True):
    """Creates a convolution without bias for `parent`, with its dtype policy.

    Args:
        parent: `keras.Layer` that the convolution will be part of.
        filters: int > 0. Number of output channels.
        size: int > 0. Height and width of the kernel.
        name: str.
        initializer: `keras.initializers.Initializer` of the kernels of `parent`. Every
            kernel gets one of its own, because an initializer returns the same values
            for the same shape each time.
        spectral_norm: bool. Whether to wrap it in `SpectralNormalization`.
    """
    conv = keras.layers.Conv2D(
        filters,
        size,
        padding="same",
        use_bias=False,
        kernel_initializer=_own(initializer, name),
        dtype=parent.dtype_policy,
        name=name,
    )
    return SpectralNormalization(conv, name=name) if spectral_norm else conv


def _own(initializer, name):
    """Returns an initializer whose random numbers differ from those of other names."""
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    seed = config.get("seed", {})
    if isinstance(seed, dict):  # nothing random, or a `SeedGenerator`, which counts
        return initializer
    if seed is not None:
        config["seed"] = seed + zlib.crc32(name.encode())
    return type(initializer).from_config(config)


def add_gate(layer):
    """Adds the scalar weight `gamma`, initially 0, to `layer` and returns it."""
    return layer.add_weight(name="gamma", shape=(), initializer="zeros")
