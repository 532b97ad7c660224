"""Batch normalisation of images, with a hook for a faster implementation.

`keras.ops` has no fused batch normalisation, but a backend may. A training step enters
`batch_normalizer` with such a function, and the layers then use it.
"""

import contextlib
import threading

import keras
from keras import ops

_scope = threading.local()  # MirroredStrategy runs each replica in its own thread


@contextlib.contextmanager
def batch_normalizer(function):
    """Normalises training batches with `function` inside the scope.

    Batch norm that consists of separate operations reads its input about ten times in a
    forward and backward pass; a fused operation reads it less often. The function is
    not used in inference, nor by layers with synchronised moments.

    Args:
        function: function of a float tensor `(batch, height, width, channels)`; of
            scale and offset, float32 `(channels,)`, or `(batch, channels)` with one row
            per sample; and of epsilon. It returns the normalised tensor, of the dtype
            of the input, with the mean and the biased variance, float32 `(channels,)`;
            or None if it does not support the dtype.
    """
    previous = getattr(_scope, "function", None)
    _scope.function = function
    try:
        yield
    finally:
        _scope.function = previous


def normalize_batch(layer, x, scale, offset):
    """Normalises a training batch with the function of `batch_normalizer`.

    Args:
        layer: batch norm layer with `epsilon` and `synchronized`.
        x: float tensor `(batch, height, width, channels)`.
        scale: float32 tensor `(channels,)` or `(batch, channels)`.
        offset: tensor like `scale`.

    Returns: tuple of outputs, mean and variance, or None if the layer has to do it
        itself.
    """
    function = getattr(_scope, "function", None)
    if function is None or layer.synchronized:
        return None
    return function(x, scale, offset, layer.epsilon)


@keras.saving.register_keras_serializable(package="keras_sagan")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` for images with channels last.

    It uses the function of `batch_normalizer`, if there is one, and
    `synchronized_moments` if `synchronized=True`.
    """

    def call(self, inputs, training=None, mask=None):
        if training and self.trainable:
            results = normalize_batch(
                self,
                keras.ops.cast(inputs, self.compute_dtype),
                keras.ops.cast(self.gamma, "float32"),
                keras.ops.cast(self.beta, "float32"),
            )
            if results is not None:
                outputs, mean, variance = results
                update_moving(self, mean, variance)
                return outputs
        return super().call(inputs, training=training, mask=mask)

    def _moments(self, inputs, mask):
        if self.synchronized:
            return synchronized_moments(inputs)
        return super()._moments(inputs, mask)


def update_moving(layer, mean, variance):
    """Updates the moving statistics of a batch norm layer with those of a batch."""
    for moving, value in [
        (layer.moving_mean, mean),
        (layer.moving_variance, variance),
    ]:
        old = keras.ops.convert_to_tensor(moving) * layer.momentum
        new = keras.ops.cast(value, moving.dtype) * (1 - layer.momentum)
        moving.assign(old + new)


def synchronized_moments(x):
    """Computes mean and biased variance over the global batch of all replicas.

    The moments of the samples are added up in float64. In float32 the rounding would
    depend on how the batch is split over replicas, which moves some activations across
    the kink of a ReLU and thus changes gradients: after five steps, weights differ by
    3e-4 instead of 1e-5.

    Args:
        x: float tensor `(batch, height, width, channels)`, the share of this replica;
            of the same size on all replicas.

    Returns: two tensors `(channels,)` of the dtype of `x`.
    """
    moments = [ops.mean(x, axis=(1, 2)), ops.mean(ops.square(x), axis=(1, 2))]
    samples = ops.cast(ops.concatenate(moments, axis=-1), "float64")
    means, _ = ops.moments(samples, axes=[0], synchronized=True)
    mean, square = ops.split(means, 2)
    # The difference can be slightly negative for constant inputs.
    variance = ops.maximum(square - ops.square(mean), 0.0)
    return ops.cast(mean, x.dtype), ops.cast(variance, x.dtype)
