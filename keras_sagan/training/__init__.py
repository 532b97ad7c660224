"""The `SAGAN` model and its training step."""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"sagan": ["SAGAN"]})
