"""Batch normalisation with TensorFlow's fused operation."""

import tensorflow as tf

_DTYPES = (tf.float16, tf.bfloat16, tf.float32)


def fused_batch_normalization(x, scale, offset, epsilon):
    """Normalises a training batch, for `batch_normalization.batch_normalizer`.

    The result equals that of separate operations up to rounding, but a step of
    `sagan_32` takes 12 to 22 % less time (benchmarks/RESULTS.md). Moments, scale and
    offset are float32.

    Args:
        x: float tensor `(batch, height, width, channels)`.
        scale: float32 tensor `(channels,)`, or `(batch, channels)` with one row per
            sample.
        offset: tensor like `scale`.
        epsilon: float, added to the variance.

    Returns: tuple of the normalised tensor, of the dtype of `x`, and mean and biased
        variance, float32 `(channels,)` without gradients. None if `x` is float64.
    """
    if x.dtype not in _DTYPES:
        return None
    if len(scale.shape) == 1:
        outputs, mean, variance, *_ = _normalize(x, scale, offset, epsilon)
    else:
        outputs, mean, variance = _normalize_rows(x, scale, offset, epsilon)
    return outputs, tf.stop_gradient(mean), tf.stop_gradient(variance)


def _normalize(x, scale, offset, epsilon):
    """Returns outputs, mean, biased variance, and what the gradient needs (a list)."""
    outputs, mean, unbiased, *reserved = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=scale, offset=offset, mean=[], variance=[], epsilon=epsilon
    )
    # TensorFlow returns the unbiased variance, but moving averages take the biased one.
    count = tf.cast(tf.size(x[..., 0]), tf.float32)
    return outputs, mean, unbiased * (count - 1) / count, reserved


def _normalize_rows(x, scale, offset, epsilon):
    """Normalises with one scale and offset per sample, without using more memory.

    The gradient of the scale needs the normalised tensor, which is as large as `x`. It
    is computed again from `x` in the backward pass instead of being kept.
    """
    ones = tf.ones_like(x[0, 0, 0], tf.float32)

    @tf.custom_gradient
    def forward(x, scale, offset):
        outputs, mean, variance, reserved = _normalize(x, ones, 0 * ones, epsilon)
        wide_scale = _per_image(scale, x.dtype)

        def backward(upstream, *_):
            # TensorFlow would otherwise compute it already in the forward pass.
            with tf.control_dependencies([upstream]):
                centered = x - tf.cast(mean, x.dtype)
            offset_gradient = _sum(upstream)
            scale_gradient = _sum(upstream * centered) * tf.math.rsqrt(
                variance + epsilon
            )
            x_gradient, *_ = tf.raw_ops.FusedBatchNormGradV3(
                y_backprop=upstream * wide_scale,
                x=x,
                scale=ones,
                reserve_space_1=reserved[0],
                reserve_space_2=reserved[1],
                reserve_space_3=reserved[2],
                epsilon=epsilon,
            )
            return x_gradient, scale_gradient, offset_gradient

        outputs = outputs * wide_scale + _per_image(offset, x.dtype)
        return (outputs, mean, variance), backward

    return forward(x, scale, offset)


def _per_image(rows, dtype):
    """Reshapes `(batch, channels)` to `(batch, 1, 1, channels)`."""
    return tf.cast(rows, dtype)[:, tf.newaxis, tf.newaxis]


def _sum(images):
    """Sums over height and width; TensorFlow adds up in float32 in any dtype."""
    return tf.cast(tf.reduce_sum(images, axis=(1, 2)), tf.float32)
