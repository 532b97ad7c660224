"""Exports generators to SavedModel, ONNX, LiteRT, container images and web pages."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "litert": ["export_litert", "litert_runner"],
        "numpy_latents": ["row_latents"],
        "oci": ["export_oci"],
        "onnx": ["export_onnx", "onnx_runner"],
        "saved_model": ["export_generator"],
        "triton": ["export_triton"],
        "web.folder": ["export_web"],
        "verifying.verification": ["VerificationError", "verify"],
    },
)
