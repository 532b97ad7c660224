"""`get_config` and `from_config`: every argument survives, at another value."""

import inspect
import json

import keras
import numpy as np
import pytest

from tests.conformance.cases import CASES


def arguments_of(cls):
    """Own arguments of the constructor: name to default."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        p.name: p.default for p in parameters if p.kind in kinds and p.name != "self"
    }


def comparable(value):
    """Initialisers, layers and policies by what they would be saved as."""
    if isinstance(value, keras.Layer):
        return value.get_config()
    if isinstance(value, str) and value in vars(keras.initializers):
        value = keras.initializers.get(value)
    if isinstance(value, (keras.initializers.Initializer, keras.DTypePolicy)):
        return keras.saving.serialize_keras_object(value)
    return value


def attribute(layer, name):
    return comparable(getattr(layer, "dtype_policy" if name == "dtype" else name))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_config_round_trip(case):
    layer = case.build("float64")
    cls, config = type(layer), layer.get_config()
    config["name"] = "given"
    if "trainable" in config:
        config["trainable"] = False
    restored = cls.from_config(json.loads(json.dumps(config)))

    for name, default in arguments_of(cls).items():
        value = attribute(layer, name)
        assert attribute(restored, name) == value, name
        if case.every_argument:
            assert value != comparable(default), f"{name} has its default"
    assert json.dumps(restored.get_config()) == json.dumps(config)
    assert restored.name == "given"
    assert restored.trainable == config.get("trainable", True)

    restored(case.inputs())
    restored.set_weights(weights_in_order(layer))
    np.testing.assert_array_equal(restored(case.inputs()), layer(case.inputs()))


def weights_in_order(layer):
    """As `get_weights` once all weights are frozen, which changes their order."""
    trainable, layer.trainable = layer.trainable, False
    weights = layer.get_weights()
    layer.trainable = trainable
    return weights
