"""A client for TensorFlow Serving, and a development server with the same protocols.

`client` needs no TensorFlow. `server` is for trying out an exported model; the modules
here are shared by the two.
"""

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
