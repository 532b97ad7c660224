"""Lazy package contents (PEP 562): a name is imported when it is first used.

The packages of `keras_sagan` list their contents with `attach`, so that
`import keras_sagan` and `keras-sagan --help` import neither Keras nor TensorFlow.
"""

import importlib
import sys


def attach(package, attributes=None, submodules=()):
    """Returns the `__getattr__`, `__dir__` and `__all__` of a lazy package.

    Errors of the deferred import (a missing dependency, an unsupported Keras
    backend) reach the caller as they are: only a name that the package does not
    list is an `AttributeError`.

    Args:
        package: str. The package's `__name__`.
        attributes: dict from a submodule's name to the public names that it
            defines, e.g. `{"self_attention": ["SelfAttention2D"]}`. A public name
            must differ from the submodule's, which Python binds to the module.
        submodules: names of public submodules and subpackages.

    Returns:
        Tuple `(__getattr__, __dir__, __all__)`.

    Raises:
        ValueError: if a public name is also the name of a submodule.

    Example:
        __getattr__, __dir__, __all__ = attach(__name__, {"run": ["train"]})
    """
    attributes = dict(attributes or {})
    homes = {name: home for home, names in attributes.items() for name in names}
    clashes = sorted(set(homes) & (set(attributes) | set(submodules)))
    if clashes:
        raise ValueError(
            "Argument `attributes` may not give a public name to an object when a "
            f"submodule has that name. Received: {clashes} in {package!r}."
        )
    names = sorted({*homes, *submodules})

    def __getattr__(name):
        if name in homes:
            home = importlib.import_module(f"{package}.{homes[name]}")
            value = getattr(home, name)
        elif name in names:
            value = importlib.import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(sys.modules[package], name, value)
        return value

    def __dir__():
        return sorted({*vars(sys.modules[package]), *names})

    return __getattr__, __dir__, names
