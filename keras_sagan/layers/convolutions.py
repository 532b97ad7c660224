"""Convolutions that are fused with the resampling before or after them, exactly.

Nearest-neighbour upsampling followed by a convolution, and a convolution followed by
average pooling, are each equal to one strided convolution whose kernel is one larger.
For a 3x3 kernel that takes 2.25 times fewer multiplications. The layers store the plain
kernel, so that they can take weights of the two-step form.
"""

import typing

import keras
from keras import ops

from keras_sagan.layers.checks import (
    Shape,
    Tensor,
    check_channels_last,
    check_positive_integer,
)


def nearest_upsample(images):
    """Repeats every pixel of `(batch, height, width, channels)` 2x2 times.

    Static heights and widths are kept; `keras.layers.UpSampling2D` loses them.
    """
    _, height, width, channels = images.shape
    x = ops.reshape(images, (-1, height, 1, width, 1, channels))
    x = ops.concatenate([x, x], axis=4)
    x = ops.concatenate([x, x], axis=2)  # (B, H, 2, W, 2, C)
    return ops.reshape(x, (-1, 2 * height, 2 * width, channels))


def average_pool(images):
    """Applies 2x2 average pooling to images `(batch, height, width, channels)`."""
    return ops.average_pool(images, 2, strides=2, padding="valid")


def upsampling_kernel(kernel):
    """Returns the kernel of the transposed convolution that `UpsampleConv2D` computes.

    Args:
        kernel: float tensor `(k, k, in, out)`.

    Returns: tensor `(k + 1, k + 1, out, in)`, the flipped kernel summed at 4 shifts.
    """
    return ops.swapaxes(_sum_of_shifts(kernel, turned=True), 2, 3)


def downsampling_kernel(kernel):
    """Returns the kernel of the strided convolution that `DownsampleConv2D` computes.

    Args:
        kernel: float tensor `(k, k, in, out)`.

    Returns: tensor `(k + 1, k + 1, in, out)`, the mean of the kernel at 4 shifts.
    """
    return _sum_of_shifts(kernel, factor=0.25)


def _sum_of_shifts(kernel, factor=1.0, turned=False):
    """Returns `factor` times the sum of `kernel` at 4 shifts by 0 or 1 pixels.

    If `turned`, the kernel is flipped on both axes. The sum is computed as a product
    with a matrix of zeros and `factor`, which reads and writes large kernels only once
    and takes a third of the time of padding and adding.
    """
    size = kernel.shape[0]
    places = [(i, j) for i in range(size + 1) for j in range(size + 1)]
    if turned:
        places.reverse()
    shifts = [
        [factor * (i - a in (0, 1) and j - b in (0, 1))
         for a in range(size) for b in range(size)]
        for i, j in places
    ]  # fmt: skip
    shifts = ops.convert_to_tensor(shifts, dtype=kernel.dtype)
    shifted = ops.matmul(shifts, ops.reshape(kernel, (size * size, -1)))
    return ops.reshape(shifted, (size + 1, size + 1, *kernel.shape[2:]))


class _ResamplingConv2D(keras.layers.Layer):
    """Base class with the `(k, k, in, out)` kernel, the bias, checks and config."""

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        use_bias: bool = True,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        bias_initializer: str | keras.Initializer = "zeros",
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**kwargs)
        check_channels_last(type(self).__name__)
        self.filters = check_positive_integer("filters", filters)
        self.kernel_size = check_positive_integer("kernel_size", kernel_size)
        if kernel_size % 2 == 0:
            raise ValueError(
                "`kernel_size` must be odd: with an even kernel the fused "
                "form would compute something else. "
                f"Received: kernel_size={kernel_size!r}."
            )
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        self._check_input_shape(input_shape)
        size = (self.kernel_size, self.kernel_size)
        self._kernel = self.add_weight(
            name="kernel",
            shape=(*size, input_shape[-1], self.filters),
            initializer=self.kernel_initializer,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.filters,), initializer=self.bias_initializer
            )

    @property
    def kernel(self):
        """The plain `(k, k, in, out)` kernel."""
        return self._kernel

    def _check_input_shape(self, input_shape):
        """Raises a `ValueError` for shapes for which the fused form is not equal."""

    def _add_bias(self, outputs, training):
        if self.bias is None:
            return outputs
        return add_bias(outputs, ops.convert_to_tensor(self.bias), training)

    def get_config(self):
        serialize = keras.initializers.serialize
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "use_bias": self.use_bias,
            "kernel_initializer": serialize(self.kernel_initializer),
            "bias_initializer": serialize(self.bias_initializer),
        }


@keras.saving.register_keras_serializable(package="keras_sagan")
class UpsampleConv2D(_ResamplingConv2D):
    """Nearest-neighbour x2 upsampling and a SAME convolution in one operation.

    Equal to `Conv2D(filters, kernel_size, padding="same")(UpSampling2D(2)(x))`, but
    computed as a transposed convolution of stride 2 whose kernel is one larger (the
    sum of the stored kernel at 4 shifts).

    Args:
        filters: int > 0. Output channels.
        kernel_size: odd int > 0. Height and width of the stored kernel.
        use_bias: bool.
        kernel_initializer: initializer of the `(k, k, in, out)` kernel. Defaults to
            `"glorot_uniform"` (source: official SAGAN code, `ops.py`).
        bias_initializer: initializer of the `(filters,)` bias.

    Call arguments:
        inputs: float tensor `(batch, height, width, channels)`.
        training: bool. If true, the gradient of the bias is computed by `add_bias`.

    Returns: tensor `(batch, 2 * height, 2 * width, filters)`, compute dtype.

    Raises:
        ValueError: if `filters` or `kernel_size` is out of range.
    """

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        kernel = upsampling_kernel(ops.convert_to_tensor(self._kernel))
        outputs = ops.conv_transpose(inputs, kernel, strides=2, padding="same")
        return self._add_bias(outputs, training)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, height, width, _ = input_shape
        return (batch, _double(height), _double(width), self.filters)


@keras.saving.register_keras_serializable(package="keras_sagan")
class DownsampleConv2D(_ResamplingConv2D):
    """A SAME convolution and 2x2 average pooling in one operation.

    Equal to `AveragePooling2D(2)(Conv2D(filters, kernel_size, padding="same")(x))`,
    but computed as a convolution of stride 2 whose kernel is one larger (the mean of
    the stored kernel at 4 shifts).

    Args:
        filters: int > 0. Output channels.
        kernel_size: odd int > 0. Height and width of the stored kernel.
        use_bias: bool.
        kernel_initializer: initializer of the `(k, k, in, out)` kernel. Defaults to
            `"glorot_uniform"` (source: official SAGAN code, `ops.py`).
        bias_initializer: initializer of the `(filters,)` bias.

    Call arguments:
        inputs: float tensor `(batch, height, width, channels)`; height and width
            known and even.
        training: bool. If true, the gradient of the bias is computed by `add_bias`.

    Returns: tensor `(batch, height / 2, width / 2, filters)`, compute dtype.

    Raises:
        ValueError: if an argument is out of range, or height or width is odd or
            unknown.
    """

    def _check_input_shape(self, input_shape):
        height, width = input_shape[1:3]
        if height is None or width is None or height % 2 or width % 2:
            raise ValueError(
                "Height and width of the input of `DownsampleConv2D` must be known "
                "and even: for odd sizes pooling drops a border that the fused form "
                f"keeps. Received: input shape {tuple(input_shape)}."
            )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        self._check_input_shape(inputs.shape)
        kernel = downsampling_kernel(ops.convert_to_tensor(self._kernel))
        outputs = ops.conv(inputs, kernel, strides=2, padding="same")
        return self._add_bias(outputs, training)

    def compute_output_shape(self, input_shape: tuple) -> Shape:
        batch, height, width, _ = input_shape
        return (batch, height // 2, width // 2, self.filters)


def _double(size):
    return None if size is None else 2 * size


def add_bias(outputs, bias, training):
    """Returns `outputs + bias`, with a more exact gradient of the bias in training.

    That gradient is summed over the positions of each sample first, and then over
    samples. A single float32 sum over all of them is off by up to 2e-5 of its
    value, by an amount that depends on how the batch is split over replicas; the sums
    of single samples do not depend on that.

    Args:
        outputs: float tensor `(batch, height, width, channels)`.
        bias: tensor `(channels,)` of the same dtype.
        training: bool.
    """
    if training:
        rows = (ops.shape(outputs)[0], 1, 1, bias.shape[0])
        # The bias comes first, because Keras would take a second operand with one
        # channel and as many images as rows for a bias of images with channels first.
        return ops.add(ops.broadcast_to(bias, rows), outputs)
    return ops.add(outputs, bias)


@keras.saving.register_keras_serializable(package="keras_sagan")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, channels last, whose bias is added by `add_bias`."""

    def call(self, inputs, training=False):
        outputs = self.convolution_op(inputs, self.kernel)
        if self.use_bias:
            outputs = add_bias(outputs, ops.convert_to_tensor(self.bias), training)
        return outputs if self.activation is None else self.activation(outputs)
