"""Imports weights from other implementations of SAGAN and from Keras 2 models.

Each importer reads a file into a `Checkpoint`, infers the architecture from the shapes
in it, builds the networks, and assigns the converted arrays (`assembly`).
"""

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
