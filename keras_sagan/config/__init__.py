"""Configuration of a run: checked, frozen dataclasses, and the presets.

Standard library only: `keras-sagan --help` reads it.
"""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "data": ["AugmentationConfig", "DataConfig"],
        "evaluation": ["EvaluationConfig"],
        "presets": ["PRESETS", "Preset", "get_preset"],
        "run": [
            "LoggingConfig",
            "ModelConfig",
            "OptimizerConfig",
            "RunConfig",
            "TrainingConfig",
        ],
    },
)
