"""The SAGAN projection discriminator."""

import dataclasses
import typing
from collections.abc import Sequence

import keras
from keras import ops

from keras_sagan.models import architectures, blocks


@keras.saving.register_keras_serializable(package="keras_sagan")
class Discriminator(keras.Model):
    """Residual projection discriminator with self-attention.

    A first block 3x3-ReLU-3x3-pool and blocks ReLU-3x3-ReLU-3x3-(pool) are followed by
    `h = sum over positions of relu(features)` and
    `logit = dense(h) + <embedding(label), h>`, both in float32. Either all
    convolutions, the dense layer and the embedding are spectrally normalised, or none.

    Args:
        image_size: int. Height and width of the images in pixels: `32`, `64`, `128` or
            `256`.
        num_classes: int > 0, or `None` for an unconditional model (no embedding).
        base_filters: int > 0. Factor of the widths of all layers (`df_dim` in the
            official code; `64` gives the published networks).
        channels: int. Number of image channels: `1`, `3` or `4`.
        attention_resolutions: tuple of sizes in pixels. There is attention after the
            first block whose output has that size; `()` for none.
        attention: `"released"`, `"paper"` or `"formula"` (see `SelfAttention2D`), or
            `"residual"` (see `GatedResidual2D`).
        activated_shortcut: bool. Whether the input of the shortcuts is `relu(x)`, as in
            ports with an in-place ReLU (StudioGAN). Defaults to `False` (source:
            official code, `discriminator.py`).
        kernel_initializer: `"glorot_uniform"` (source: official code) or
            `"orthogonal"` (StudioGAN, MMGeneration).
        spectral_norm: bool. Defaults to `True` (source: paper, section 4.1). Without
            it, nothing bounds D but the gradient penalties of `SAGAN.compile`.
        dtype: dtype policy of the layers; the head is float32 or wider.

    Call arguments:
        inputs: `[images, labels]`, or `images` when unconditional: float tensor
            `(batch, image_size, image_size, channels)` in [-1, 1], int32 tensor
            `(batch,)`.
        training: bool. Whether the vectors of the spectral norms advance.

    Returns: float32 tensor `(batch, 1)` of logits.

    Raises:
        ValueError: if an argument is out of range.

    Reference: [Zhang et al., 2019](https://arxiv.org/abs/1805.08318), section 5,
        [Miyato & Koyama, 2018](https://arxiv.org/abs/1802.05637), and the official
        code, `discriminator.py`.
    """

    def __init__(
        self,
        image_size: int = 32,
        num_classes: int | None = 10,
        base_filters: int = 64,
        channels: int = 3,
        attention_resolutions: Sequence[int] = (16,),
        attention: str = "released",
        activated_shortcut: bool = False,
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
        produced = architectures.discriminator_resolutions(image_size)
        resolutions = architectures.check_attention_resolutions(
            attention_resolutions, produced
        )
        policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())

        # === Functional model ===
        style = blocks.Style(
            kernel_initializer, attention, policy, spectral_norm=spectral_norm
        )
        wide = keras.backend.result_type(policy.variable_dtype, "float32")
        images = keras.Input(
            (image_size, image_size, channels), name="images", dtype=wide
        )
        widths = architectures.DISCRIMINATOR_WIDTHS[image_size]
        x = images
        for i, width in enumerate(widths):
            filters, name = width * base_filters, f"block{i + 1}"
            if i == 0:
                x = blocks.first_discriminator_block(x, filters, style, name)
            else:
                downsample = i < architectures.DISCRIMINATOR_DOWNSAMPLES[image_size]
                x = blocks.discriminator_block(
                    x, filters, downsample, activated_shortcut, style, name
                )
            # Several blocks may produce the same size: attention follows the first.
            if produced[i] in resolutions and produced[i] not in produced[:i]:
                x = blocks.attention_block(x, style)
        inputs, logits = _head(images, x, num_classes, style, wide)
        super().__init__(inputs=inputs, outputs=logits, **kwargs)

        # === Config ===
        self.image_size = image_size
        self.num_classes = num_classes
        self.base_filters = base_filters
        self.channels = channels
        self.attention_resolutions = resolutions
        self.attention = attention
        self.activated_shortcut = activated_shortcut
        self.kernel_initializer = kernel_initializer
        self.spectral_norm = spectral_norm
        self.dtype_policy = policy

    def get_config(self) -> dict:
        return {
            "image_size": self.image_size,
            "num_classes": self.num_classes,
            "base_filters": self.base_filters,
            "channels": self.channels,
            "attention_resolutions": list(self.attention_resolutions),
            "attention": self.attention,
            "activated_shortcut": self.activated_shortcut,
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
    ) -> "Discriminator":
        return architectures.with_frozen_layers(cls, config)


def _head(images, x, num_classes, style, wide):
    """Adds the head of the network; returns the model's inputs and float32 logits."""
    style = dataclasses.replace(style, dtype=wide)
    x = keras.layers.ReLU(dtype=style.dtype, name="relu")(x)
    features = ops.sum(x, axis=(1, 2))  # (B, C), float32
    logits = blocks.dense(1, style, "dense")(features)
    if num_classes is None:
        return images, logits
    labels = keras.Input((), name="labels", dtype="int32")
    size = features.shape[-1]
    embedded = blocks.embedding(num_classes, size, style, "embedding")(labels)
    projection = ops.sum(embedded * features, axis=-1, keepdims=True)
    return [images, labels], logits + projection
