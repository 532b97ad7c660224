"""Talking to TensorFlow Serving, and a development server of the same protocol."""

from keras_sagan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "client.client": ["Client"],
        "server.development_server": ["DevelopmentServer", "Limits"],
        "errors": ["Code", "ServingError"],
        "client.retries": ["Retries"],
    },
)
