"""Registers the classes of this package with Keras when Keras is imported.

`keras.saving.load_model` knows a class only after the module that defines it was
imported. `import keras_sagan` must import neither Keras nor TensorFlow, so these
imports wait for Keras: they run at the end of `import keras`, or at once where
Keras was there first.
"""

import functools
import importlib
import os
import pkgutil
import sys

import wrapt

_PACKAGE = __name__.partition(".")[0]
_HOMES = ("layers", "models")  # packages whose modules register classes
_TENSORFLOW_HOMES = ("sagan",)  # imported under that backend only


def install():
    """Arranges the registration; imports nothing.

    The modules of this package are watched beside Keras, because one of them may be
    what imports Keras: it is then half-imported, and the classes that need it are
    registered when it is complete.
    """
    for name in ("keras", *_modules()):
        wrapt.when_imported(name)(_register)


def _register(module):
    """Imports the modules that register classes, unless `module` came too early."""
    if "keras" not in sys.modules or _half_imported(except_for=module.__name__):
        return
    for home in _HOMES:
        for name in _modules(home):
            importlib.import_module(name)
    keras = sys.modules["keras"]
    if keras.backend.backend() == "tensorflow":
        for home in _TENSORFLOW_HOMES:
            importlib.import_module(f"{_PACKAGE}.{home}")


def _half_imported(except_for):
    """Whether a module of this package, or Keras itself, is still being imported."""
    watched = {"keras", *_modules()} - {except_for}
    return any(
        getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", 0)
        for name in watched
    )


@functools.cache
def _modules(folder=""):
    """Names of this package's modules (without packages), all or of one folder."""
    path = os.path.join(os.path.dirname(__file__), *folder.split("."))
    prefix = ".".join(part for part in (_PACKAGE, folder) if part)
    names = []
    for info in pkgutil.iter_modules([path], prefix + "."):
        if info.ispkg:
            names += _modules(info.name.partition(".")[2])
        else:
            names.append(info.name)
    return names
