"""The two networks, as functional models for any backend of Keras (`keras.ops` only).

`architectures` has their widths and resolutions, `blocks` the residual blocks that
`generator` and `discriminator` are made of.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "generator": ["Generator"],
        "discriminator": ["Discriminator"],
    },
)
