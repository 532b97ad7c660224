"""Runs of training: from a configuration to a directory with a trained model."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "building": ["build", "prepare"],
        "checkpoints": ["Checkpoints"],
        "loading": ["load_trained"],
        "run": ["Run"],
    },
)
