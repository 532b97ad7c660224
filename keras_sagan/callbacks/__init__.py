"""Callbacks for `SAGAN.fit`, alone or in a run: limits, grids, logs, scores, guards."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "divergence": ["CollapseWarnings", "DivergenceError", "StopOnNonFinite"],
        "evaluation": ["Evaluation"],
        "metrics_log": ["MetricsLog"],
        "progress": ["Progress"],
        "sample_grid": ["SampleGrid"],
        "step": ["Limits", "StepCallback"],
        "tensorboard": ["TensorBoardPictures", "TensorBoardScalars"],
    },
)
