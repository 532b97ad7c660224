"""Configuration of a run: checked, frozen dataclasses, and the presets.

Standard library only: `keras-sagan --help` reads it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "data": ["AugmentationConfig", "DataConfig"],
        "evaluation": ["EvaluationConfig"],
        "presets": ["PRESETS", "Preset", "get_preset"],
        "model": ["ModelConfig"],
        "run": ["RunConfig"],
        "training": ["LoggingConfig", "OptimizerConfig", "TrainingConfig"],
    },
)
