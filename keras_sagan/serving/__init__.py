"""Talking to TensorFlow Serving, and a development server of the same protocol."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "client.client": ["Client"],
        "server.development_server": ["DevelopmentServer", "Limits"],
        "errors": ["Code", "ServingError"],
        "client.retries": ["Retries"],
    },
)
