"""Training runs, which turn a configuration into a directory with a trained model.

`run` drives training, `building` creates model and data, `outputs` writes the directory
and `reading` reads it. `checkpoints` makes a run resumable.
"""

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
