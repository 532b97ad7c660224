"""Biases of convolutions whose gradients do not depend on how a batch is split."""

import keras
from keras import ops


def add_bias(outputs, bias, training):
    """`outputs + bias`; in training the gradient is a sum over samples of their sums.

    One float32 sum over all positions of all samples rounds by up to 2e-5 of itself,
    and otherwise when the batch is split over other replicas: sums of samples are the
    same for any split, and their sum is short.

    Args:
        outputs: float tensor `(batch, height, width, channels)`.
        bias: tensor `(channels,)` of the same dtype.
        training: bool.
    """
    if training:
        rows = (ops.shape(outputs)[0], 1, 1, bias.shape[0])
        bias = ops.broadcast_to(bias, rows)
    return ops.add(outputs, bias)


class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, channels last, whose bias is added by `add_bias`.

    Not for saving by itself: networks save their arguments, not their layers.
    """

    def call(self, inputs, training=False):
        outputs = self.convolution_op(inputs, self.kernel)
        if self.use_bias:
            outputs = add_bias(outputs, ops.convert_to_tensor(self.bias), training)
        return outputs if self.activation is None else self.activation(outputs)
