"""Draws the images that a model generates, and the attention within them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "attention": ["View", "attention_figure", "draw_view", "overlay"],
        "curves": ["save_curve"],
        "files": ["save_animation", "save_picture"],
        "grids": ["class_rows", "image_grid", "save_grid", "shown_classes"],
        "positions": ["most_non_local_points", "non_locality", "query_index"],
    },
)
