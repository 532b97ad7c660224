"""Export of trained generators."""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"saved_model": ["export_generator"]})
