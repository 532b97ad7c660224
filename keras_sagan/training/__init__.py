"""The trainable model: its training step, its averaged weights, and its files.

`sagan` has the model. It delegates the step to `steps` (pure functions), the averaged
generator to `ema`, checks of data to `inputs` and `faults`, and files to `saving`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"sagan": ["TrainableSAGAN"]}
)
