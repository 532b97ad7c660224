"""Functional models and presets: backend-agnostic (`keras.ops` only)."""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "generator": ["Generator"],
        "discriminator": ["Discriminator"],
    },
)
