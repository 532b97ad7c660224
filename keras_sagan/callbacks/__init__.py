"""Callbacks for `SAGAN.fit`, alone or in a run: limits, grids, logs, scores, guards."""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "divergence": ["CollapseWarnings", "DivergenceError", "StopOnNonFinite"],
        "evaluation": ["Evaluation"],
        "metrics_log": ["MetricsLog"],
        "progress": ["Progress"],
        "sample_grid": ["SampleGrid"],
        "step": ["Limits", "StepCallback"],
        "tensorboard": ["TensorBoardPictures", "TensorBoardScalars"],
    },
)
