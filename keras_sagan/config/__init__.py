"""The configuration of a run, as frozen dataclasses with checks, and the presets.

It imports the standard library only, so that `keras-sagan --help` stays fast.
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
