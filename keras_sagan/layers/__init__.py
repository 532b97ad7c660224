"""Layers: backend-agnostic (`keras.ops` only)."""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "conditional_batch_normalization": ["ConditionalBatchNormalization"],
        "gated_residual": ["GatedResidual2D"],
        "convolutions": ["DownsampleConv2D", "UpsampleConv2D"],
        "self_attention": ["SelfAttention2D"],
        "spectral_normalization": [
            "SpectralNormalization",
            "advance_spectral_norm",
            "frozen_spectral_norm",
            "spectral_norm_layers",
        ],
    },
)
