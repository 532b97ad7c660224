"""The model that trains, its step, and its files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"sagan": ["TrainableSAGAN"]}
)
