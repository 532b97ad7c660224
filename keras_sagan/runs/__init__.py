"""Runs of training: from a configuration to a directory with a trained model."""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "building": ["build", "prepare"],
        "checkpoints": ["Checkpoints"],
        "loading": ["load_trained"],
        "run": ["Run"],
    },
)
