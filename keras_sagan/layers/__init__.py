"""Layers of the published networks, for any backend of Keras (`keras.ops` only)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
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
