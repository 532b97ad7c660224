"""SAGAN, the self-attention generative adversarial network, for Keras/TensorFlow.

Importing this package imports neither TensorFlow nor Keras; its contents are imported
when they are first used. As soon as anything imports Keras, the classes of this package
are registered with it, so that `keras.saving.load_model` finds them.

Reference:
    - [Zhang et al., 2019](https://arxiv.org/abs/1805.08318)
"""

import lazy_loader

from keras_sagan import _registration

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={"sagan": ["SAGAN"], "training.saving": ["upload_preset"]},
    submodules=(
        "callbacks",
        "config",
        "data",
        "export",
        "interop",
        "layers",
        "losses",
        "metrics",
        "models",
        "runs",
        "serving",
        "training",
        "visualize",
    ),
)

_registration.install()
