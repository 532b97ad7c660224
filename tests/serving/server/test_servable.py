import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_sagan.serving.errors import Code, ServingError
from keras_sagan.serving.server.servable import Servable, load_versions
from tests.serving.conftest import GLYPHS


@pytest.fixture(scope="module")
def servable():
    return Servable(GLYPHS / "1", max_batch=4)


def arrays(rows=2):
    return {
        "seed": np.arange(rows),
        "label": np.zeros(rows, "int32"),
        "truncation": np.zeros(rows, "float32"),
    }


def described(arrays):
    return {name: (array.dtype, array.shape) for name, array in arrays.items()}


def test_runs_as_tensorflow_does(servable):
    outputs = servable.run("generate", arrays())
    reference = tf.saved_model.load(str(GLYPHS / "1")).signatures["generate"]
    expected = reference(**{k: tf.constant(v) for k, v in arrays().items()})
    assert outputs.keys() == expected.keys() == {"images"}
    difference = outputs["images"].astype(int) - expected["images"].numpy()
    assert np.abs(difference).max() <= 1


def test_the_default_signature(servable):
    assert servable.signature("") is servable.signatures["serving_default"]
    latent = {"latent": np.zeros((1, 128), "float32"), "label": np.int32([0])}
    assert servable.run("", latent)["images"].dtype == np.float32
    with pytest.raises(ServingError, match='key "x" not found') as refused:
        servable.signature("x")
    assert refused.value.code is Code.FAILED_PRECONDITION


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"extra": ("int32", (2,))}, r"Sent extra: \['extra'\]"),
        ({"seed": ("int32", (2,))}, "'seed' must be int64. Received: int32"),
        ({"seed": ("int64", (2, 1))}, r"'seed' must have shape \(\?,\)"),
        ({"seed": ("int64", (1,) * 60)}, "Received: 60 dimensions"),
        ({"seed": ("int64", (0,))}, "1 to 4 rows. Input 'seed' has 0"),
        ({"seed": ("int64", (5,))}, "1 to 4 rows. Input 'seed' has 5"),
        ({"seed": ("int64", (-1,))}, "1 to 4 rows. Input 'seed' has -1"),
    ],
)
def test_types_and_shapes_are_checked(servable, changed, message):
    signature = servable.signature("generate")
    servable.check(signature, described(arrays()))
    inputs = described(arrays()) | changed
    with pytest.raises(ServingError, match=message):
        servable.check(signature, inputs)


def test_a_missing_input(servable):
    inputs = described(arrays())
    del inputs["label"]
    with pytest.raises(ServingError, match=r"Missing but required: \['label'\]"):
        servable.check(servable.signature("generate"), inputs)


def test_the_graphs_own_error_without_names_of_nodes(servable):
    with pytest.raises(ServingError, match="label must be in") as refused:
        servable.run("generate", arrays() | {"label": np.int32([0, 10])})
    assert refused.value.code is Code.INVALID_ARGUMENT
    assert "node" not in refused.value.message


def test_warm_up_requests_are_replayed(tmp_path):
    directory = tmp_path / "1"
    shutil.copytree(GLYPHS / "1", directory)
    record = prediction_log_pb2.PredictionLog()
    request = record.predict_log.request
    request.model_spec.signature_name = "generate"
    for name, array in arrays().items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    path = directory / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir(exist_ok=True)

    def load():
        with tf.io.TFRecordWriter(str(path)) as writer:
            writer.write(record.SerializeToString())
        return Servable(directory, max_batch=4)

    load()
    request.inputs["label"].CopyFrom(tf.make_tensor_proto(np.int32([10, 10])))
    with pytest.raises(ServingError, match="label must be in"):
        load()
    del request.inputs["label"]
    with pytest.raises(ValueError, match=r"all inputs.*\['seed', 'truncation'\] for"):
        load()


def test_versions(tmp_path):
    for version in ("1", "2", "10"):
        shutil.copytree(GLYPHS / "1", tmp_path / version)
    (tmp_path / "notes").mkdir()
    assert list(load_versions(tmp_path, 4)) == [10]
    assert list(load_versions(tmp_path, 4, every=True)) == [1, 2, 10]


def test_no_model(tmp_path):
    with pytest.raises(
        OSError, match=r"must hold a version of a model, e.g. .*Received"
    ):
        load_versions(tmp_path, 4)
    with pytest.raises(OSError, match="must hold a version"):
        load_versions(tmp_path / "nothing", 4)
    (tmp_path / "1").mkdir()
    with pytest.raises(OSError, match="SavedModel file does not exist"):
        load_versions(tmp_path, 4)
