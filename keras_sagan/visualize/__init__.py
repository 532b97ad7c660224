"""Pictures of what a model makes."""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "curves": ["save_curve"],
        "grids": ["class_rows", "image_grid", "save_grid", "shown_classes"],
    },
)
