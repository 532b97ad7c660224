"""Training runs, which turn a configuration into a directory with a trained model.

`beginning` completes the settings of a run, `building` creates its model and data,
`run` drives training, `outputs` writes the directory and `reading` reads it.
`checkpoints` makes a run resumable.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "beginning": ["prepare"],
        "building": ["build"],
        "checkpoints": ["Checkpoints"],
        "loading": ["load_trained"],
        "run": ["Run"],
    },
)
