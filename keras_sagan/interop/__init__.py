"""Weights of other projects' SAGANs and of older Keras models."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "mmgeneration": ["load_mmgeneration"],
        "studiogan": ["load_studiogan"],
        "tf1": ["load_tf1_checkpoint"],
        "tfa": ["from_tfa"],
    },
)
