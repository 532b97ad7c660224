import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.export.verifying import capi
from tests.helpers import run_python

_ALONE = """
import sys
from keras_sagan.export.verifying import capi
session = capi.Session(sys.argv[1], capi.load_library(), threads=1)
images = session.run("generate", {"seed": [5], "truncation": [0], "label": [1]})
print(images["images"].shape, {"tensorflow", "keras"} & set(sys.modules))
"""


@pytest.fixture(scope="module")
def library():
    return capi.load_library()


@pytest.fixture(scope="module")
def session(conditional_export, library):
    session = capi.Session(conditional_export, library)
    yield session
    session.close()


def test_same_as_python(session, conditional_export):
    inputs = {
        "seed": np.array([5, 2**40, -1]),
        "truncation": np.array([0, 0.5, 0], "float32"),
        "label": np.array([0, 1, 2], "int32"),
    }
    signatures = tf.saved_model.load(str(conditional_export)).signatures
    for name in ("generate", "generate_png"):
        outputs = signatures[name](**{k: tf.constant(v) for k, v in inputs.items()})
        actual = session.run(name, inputs)
        assert list(actual) == list(outputs)
        for key, expected in outputs.items():
            np.testing.assert_array_equal(np.array(actual[key]), expected.numpy())


@pytest.mark.slow
def test_outputs_of_more_than_two_gibibytes(tmp_path, library):
    """The maps of 64 images at 64 x 64 positions have 4."""

    class Large(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([1], tf.int64, name="count")])
        def fill(self, count):
            return {"levels": tf.fill(count, tf.constant(7, tf.uint8))}

    module = Large()
    tf.saved_model.save(module, str(tmp_path), signatures={"fill": module.fill})
    session = capi.Session(tmp_path, library)
    for count in (2**31 + 3, 0):
        levels = session.run("fill", {"count": [count]})["levels"]
        assert levels.shape == (count,)
        assert levels.dtype == np.uint8
        assert (levels == 7).all()
    session.close()


def test_without_tensorflow_in_python(conditional_export):
    assert run_python(_ALONE, conditional_export) == "(1, 32, 32, 3) set()"


def test_refusals_have_code_and_message(session):
    with pytest.raises(capi.TensorFlowError, match="label must be in") as caught:
        session.run("generate", {"seed": [5], "truncation": [0], "label": [3]})
    assert caught.value.code == tf.errors.INVALID_ARGUMENT


def test_rank_is_checked(session):
    with pytest.raises(capi.TensorFlowError, match="not compatible with expected"):
        session.run("generate", {"seed": [5], "truncation": [0], "label": [[1]]})
    with pytest.raises(capi.TensorFlowError, match="not compatible with expected"):
        session.run("serving_default", {"latent": np.zeros((1, 9)), "label": [1]})


def test_inputs_are_named(session):
    with pytest.raises(KeyError, match="takes"):
        session.run("generate", {"seed": [5]})


def test_no_model(tmp_path, library):
    with pytest.raises(capi.TensorFlowError, match="Could not find SavedModel"):
        capi.Session(tmp_path, library)


def test_registered_operations(library):
    operations = capi.registered_operations(library)
    assert {"Conv2D", "StatelessRandomUniformFullIntV2"} <= operations
    assert "MyOwnOp" not in operations
