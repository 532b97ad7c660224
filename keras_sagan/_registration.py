"""Registers the classes of this package with Keras when Keras is imported.

`keras.saving.load_model` knows a class only after the module that defines it has been
imported. Because `import keras_sagan` must import neither Keras nor TensorFlow, those
modules are imported at the end of `import keras`, or right away if Keras has already
been imported.
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
    """Arranges for the classes to be registered, without importing anything.

    The modules of this package are watched as well as Keras, because one of them may
    be the one that imports Keras. It is only partly imported at that moment, so the
    registration has to wait until it is complete.
    """
    for name in ("keras", *_modules()):
        wrapt.when_imported(name)(_register)


def _register(module):
    """Imports the modules that register classes, unless it is too early for that."""
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
    """Returns whether Keras or a module of this package is still being imported."""
    watched = {"keras", *_modules()} - {except_for}
    return any(
        getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", 0)
        for name in watched
    )


@functools.cache
def _modules(folder=""):
    """Returns the names of this package's modules, of all or of those in one folder.

    Packages themselves are left out. Nothing is imported to find them.
    """
    path = os.path.join(os.path.dirname(__file__), *folder.split("."))
    prefix = ".".join(part for part in (_PACKAGE, folder) if part)
    names = []
    for info in pkgutil.iter_modules([path], prefix + "."):
        if info.ispkg:
            names += _modules(info.name.partition(".")[2])
        else:
            names.append(info.name)
    return names
