"""The SAGAN generator."""

import typing
from collections.abc import Sequence

import keras

from keras_sagan.layers.checks import (
    check_fraction,
    check_positive,
    check_positive_integer,
)
from keras_sagan.models import architectures, blocks


@keras.saving.register_keras_serializable(package="keras_sagan")
class Generator(keras.Model):
    """Class-conditional residual generator with self-attention.

    A dense layer makes a 4x4 tensor, which passes through blocks
    BN-ReLU-up-3x3-BN-ReLU-3x3 with a shortcut up-1x1, and then BN-ReLU-3x3-tanh. Either
    all convolutions and the dense layer are spectrally normalised, or none; the tables
    of the conditional batch norms never are.

    Args:
        image_size: int. Height and width of the images in pixels: `32`, `64`, `128` or
            `256`.
        num_classes: int > 0, or `None` for an unconditional model.
        latent_dim: int > 0. Defaults to `128` (source: official code).
        base_filters: int > 0. Factor of the widths of all layers (`gf_dim` in the
            official code; `64` gives the published networks).
        channels: int. Number of image channels: `1`, `3` or `4`.
        attention_resolutions: tuple of sizes in pixels. There is attention after the
            block whose output has that size; `()` for none.
        attention: `"released"`, `"paper"` or `"formula"` (see `SelfAttention2D`), or
            `"residual"` (see `GatedResidual2D`).
        synchronized: bool. Whether batch-norm moments are computed over the global
            batch of all replicas.
        batch_norm_momentum: float in [0, 1). Defaults to `0.999` (source: official
            code, where that of the last one is 0.9999).
        batch_norm_epsilon: float > 0. Defaults to `1e-5` (source: official code).
        kernel_initializer: `"glorot_uniform"` (source: official code) or
            `"orthogonal"` (StudioGAN, MMGeneration).
        spectral_norm: bool. Defaults to `True` (source: paper, section 4.1).
        dtype: dtype policy of the layers; the tanh at the end is float32 or wider.

    Attributes:
        on_weights_set: function without arguments, or `None`. It is called after
            `load_weights` and `set_weights`; `SAGAN` uses it to start the moving
            average of the weights again.

    Call arguments:
        inputs: `[latents, labels]`, or `latents` when unconditional: float tensor
            `(batch, latent_dim)` from N(0, I), int32 tensor `(batch,)`.
        training: bool. Mode of the batch norms, and whether the vectors of the spectral
            norms advance.

    Returns: float32 tensor `(batch, image_size, image_size, channels)` of images in
        [-1, 1].

    Raises:
        ValueError: if an argument is out of range.

    Reference: [Zhang et al., 2019](https://arxiv.org/abs/1805.08318), section 5, and
        the official code, `generator.py`.
    """

    on_weights_set = None

    def __init__(
        self,
        image_size: int = 32,
        num_classes: int | None = 10,
        latent_dim: int = 128,
        base_filters: int = 64,
        channels: int = 3,
        attention_resolutions: Sequence[int] = (16,),
        attention: str = "released",
        synchronized: bool = False,
        batch_norm_momentum: float = 0.999,
        batch_norm_epsilon: float = 1e-5,
        kernel_initializer: str = "glorot_uniform",
        spectral_norm: bool = True,
        dtype: str | keras.DTypePolicy | None = None,
        **kwargs: typing.Any,
    ) -> None:
        image_size, num_classes, base_filters, channels = architectures.check_network(
            image_size,
            num_classes,
            base_filters,
            channels,
            attention,
            kernel_initializer,
        )
        latent_dim = check_positive_integer("latent_dim", latent_dim)
        batch_norm_momentum = check_fraction("batch_norm_momentum", batch_norm_momentum)
        batch_norm_epsilon = check_positive("batch_norm_epsilon", batch_norm_epsilon)
        resolutions = architectures.check_attention_resolutions(
            attention_resolutions, architectures.generator_resolutions(image_size)
        )
        policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())

        # === Functional model ===
        style = blocks.Style(
            kernel_initializer=kernel_initializer,
            attention=attention,
            dtype=policy,
            num_classes=num_classes,
            synchronized=synchronized,
            batch_norm_momentum=batch_norm_momentum,
            batch_norm_epsilon=batch_norm_epsilon,
            spectral_norm=spectral_norm,
        )
        latents = keras.Input(
            (latent_dim,), name="latents", dtype=policy.variable_dtype
        )
        labels = None
        if num_classes is not None:
            labels = keras.Input((), name="labels", dtype="int32")
        widths = architectures.GENERATOR_WIDTHS[image_size]
        x = _first_tensor(latents, image_size, base_filters, style)
        for i, width in enumerate(widths, start=1):
            x = blocks.generator_block(
                x, labels, width * base_filters, style, f"block{i}"
            )
            if x.shape[1] in resolutions:
                x = blocks.attention_block(x, style)
        images = _to_images(x, channels, style)
        inputs = latents if labels is None else [latents, labels]
        super().__init__(inputs=inputs, outputs=images, **kwargs)

        # === Config ===
        self.image_size = image_size
        self.num_classes = num_classes
        self.latent_dim = latent_dim
        self.base_filters = base_filters
        self.channels = channels
        self.attention_resolutions = resolutions
        self.attention = attention
        self.synchronized = synchronized
        self.batch_norm_momentum = batch_norm_momentum
        self.batch_norm_epsilon = batch_norm_epsilon
        self.kernel_initializer = kernel_initializer
        self.spectral_norm = spectral_norm
        self.dtype_policy = policy

    def load_weights(self, *args: typing.Any, **kwargs: typing.Any) -> None:
        super().load_weights(*args, **kwargs)
        if self.on_weights_set:
            self.on_weights_set()

    def set_weights(self, weights: Sequence) -> None:
        super().set_weights(weights)
        if self.on_weights_set:
            self.on_weights_set()

    def get_config(self) -> dict:
        return {
            "image_size": self.image_size,
            "num_classes": self.num_classes,
            "latent_dim": self.latent_dim,
            "base_filters": self.base_filters,
            "channels": self.channels,
            "attention_resolutions": list(self.attention_resolutions),
            "attention": self.attention,
            "synchronized": self.synchronized,
            "batch_norm_momentum": self.batch_norm_momentum,
            "batch_norm_epsilon": self.batch_norm_epsilon,
            "kernel_initializer": self.kernel_initializer,
            "spectral_norm": self.spectral_norm,
            "dtype": self.dtype_policy.name,
            "name": self.name,
            "trainable": self.trainable,
            **architectures.frozen_layers(self),
        }

    @classmethod
    def from_config(
        cls, config: dict, custom_objects: dict | None = None
    ) -> "Generator":
        return architectures.with_frozen_layers(cls, config)


def _first_tensor(latents, image_size, base_filters, style):
    width = architectures.GENERATOR_FIRST_WIDTH[image_size] * base_filters
    size = architectures.SMALLEST
    x = blocks.dense(size * size * width, style, "dense")(latents)
    return keras.layers.Reshape((size, size, width), dtype=style.dtype)(x)


def _to_images(x, channels, style):
    x = blocks.normalize(x, None, style, "bn")
    x = keras.layers.ReLU(dtype=style.dtype, name="relu")(x)
    x = blocks.conv(channels, 3, style, "to_images")(x)
    wide = keras.backend.result_type(style.dtype.variable_dtype, "float32")
    return keras.layers.Activation("tanh", dtype=wide, name="images")(x)
