"""Callbacks for `SAGAN.fit`: limits, sample grids, logs, scores and guards.

They work by themselves or as parts of a run (`keras_sagan.runs`), and count generator
steps instead of epochs.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "collapse": ["CollapseSigns"],
        "divergence": ["CollapseWarnings", "DivergenceError", "StopOnNonFinite"],
        "evaluation": ["Evaluation"],
        "metrics_log": ["MetricsLog"],
        "progress": ["Progress"],
        "sample_grid": ["SampleGrid"],
        "step": ["Limits", "StepCallback"],
        "tensorboard": ["TensorBoardPictures", "TensorBoardScalars"],
    },
)
