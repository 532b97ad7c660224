"""Functional models and presets: backend-agnostic (`keras.ops` only)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "generator": ["Generator"],
        "discriminator": ["Discriminator"],
    },
)
