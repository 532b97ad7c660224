"""Weights of other projects' SAGANs and of older Keras models."""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "mmgeneration": ["load_mmgeneration"],
        "studiogan": ["load_studiogan"],
        "tf1": ["load_tf1_checkpoint"],
        "tfa": ["from_tfa"],
    },
)
