"""The control for self-attention: equally many parameters, but purely local."""

import typing

import keras
from keras import ops

from keras_sagan.layers.checks import (
    Shape,
    Tensor,
    check_channels_last,
    check_positive_integer,
)
from keras_sagan.layers.self_attention import add_gate, projection


@keras.saving.register_keras_serializable(package="keras_sagan")
class GatedResidual2D(keras.layers.Layer):
    """The control for `SelfAttention2D`: equally many parameters, but purely local.

    `y = x + gamma * conv1x1(conv3x3(relu(x)))` with `C / bottleneck_ratio` channels
    in between, without biases, spectrally normalised; `gamma` is a scalar initialised
    to 0. With the default ratio it has exactly the `1.25 C^2 + 1` parameters of the
    released attention (3x3xCxC/8 + C/8xC). It serves for the comparison of the paper's
    Table 1; the paper does not describe its residual block.

    Args:
        bottleneck_ratio: int > 0. Input channels per channel in between.
        kernel_initializer: initializer of both kernels.
        spectral_norm: bool. Whether the convolutions are spectrally normalised.

    Call arguments:
        inputs: float tensor `(batch, height, width, channels)`.
        training: bool. Whether the spectral normalisation advances.

    Returns: tensor of the shape of the input, compute dtype.

    Raises:
        ValueError: if the number of channels is not a multiple of `bottleneck_ratio`.
    """

    def __init__(
        self,
        bottleneck_ratio: int = 8,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        spectral_norm: bool = True,
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**kwargs)
        check_channels_last(type(self).__name__)
        self.bottleneck_ratio = check_positive_integer(
            "bottleneck_ratio", bottleneck_ratio
        )
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.spectral_norm = spectral_norm
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[-1]
        if channels % self.bottleneck_ratio:
            raise ValueError(
                "The number of input channels must be divisible by `bottleneck_ratio`. "
                f"Received: channels={channels}, "
                f"bottleneck_ratio={self.bottleneck_ratio}."
            )
        inner = channels // self.bottleneck_ratio
        shared = self.kernel_initializer, self.spectral_norm
        self.reduce = projection(self, inner, 3, "reduce", *shared)
        self.expand = projection(self, channels, 1, "expand", *shared)
        self.reduce.build(input_shape)
        self.expand.build((*input_shape[:-1], inner))
        self.gamma = add_gate(self)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        hidden = self.reduce(ops.relu(inputs), training=training)
        hidden = self.expand(hidden, training=training)
        return inputs + ops.convert_to_tensor(self.gamma) * hidden

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "bottleneck_ratio": self.bottleneck_ratio,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "spectral_norm": self.spectral_norm,
        }
