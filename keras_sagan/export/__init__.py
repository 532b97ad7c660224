"""Export of trained generators."""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "litert": ["export_litert", "litert_runner"],
        "numpy_latents": ["row_latents"],
        "onnx": ["export_onnx", "onnx_runner"],
        "saved_model": ["export_generator"],
        "verifying.verification": ["VerificationError", "verify"],
    },
)
