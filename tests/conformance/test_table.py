"""The table holds every public class, and every argument of each."""

import keras
import pytest

import keras_sagan as ks
from tests.conformance.cases import CASES


def public_classes():
    """Layers and models among the public names, and all that Keras can load."""
    names = [(ks.layers, n) for n in ks.layers.__all__]
    names += [(ks.models, n) for n in ks.models.__all__]
    names += [(ks, n) for n in ks.__all__]
    public = [getattr(package, name) for package, name in names]
    registered = keras.saving.get_custom_objects().items()
    # Keras's own layers with one method changed have Keras's arguments: how they are
    # saved is tested in tests/models/test_architectures.py.
    changed = {
        "keras_sagan>Conv2D": keras.layers.Conv2D,
        "keras_sagan>BatchNormalization": keras.layers.BatchNormalization,
    }
    return {x for x in public if isinstance(x, type) and issubclass(x, keras.Layer)} | {
        cls
        for name, cls in registered
        if name.startswith("keras_sagan>")
        and not issubclass(cls, changed.get(name, ()))
    }


@pytest.fixture(scope="module")
def table():
    """Class of every case."""
    return {case: type(case.make("float32")) for case in CASES}


def test_every_public_class_is_in_the_table(table):
    assert public_classes() == set(table.values())


def test_every_class_has_a_case_with_every_argument(table):
    complete = {cls for case, cls in table.items() if case.every_argument}
    assert public_classes() == complete


def test_every_class_but_sagan_runs_on_other_backends(table):
    others = {cls for case, cls in table.items() if not case.tensorflow_only}
    assert public_classes() - others == {ks.SAGAN}


def test_names_are_unique_and_begin_with_the_class(table):
    assert len({case.name for case in CASES}) == len(CASES)
    for case, cls in table.items():
        assert case.name.partition("-")[0] == cls.__name__
