"""Training: the `SAGAN` model, its callbacks, and runs with a directory."""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "building": ["build", "prepare"],
        "callbacks": [
            "DivergenceError",
            "Limits",
            "MetricsLog",
            "SampleGrid",
            "StopOnNonFinite",
            "TensorBoardScalars",
        ],
        "checkpointing": ["Checkpoints"],
        "evaluation": ["Evaluation"],
        "progress": ["Progress"],
        "run": ["Run"],
        "run_directory": ["load_trained"],
        "sagan": ["SAGAN"],
        "spreading": ["spread_extractor"],
    },
)
