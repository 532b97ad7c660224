"""The exported generator, in this process and where neither Keras nor we exist."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_sagan.export import saved_model
from keras_sagan.export.folding import fold
from tests.helpers import ROOT, tiny_gan

_ALONE = """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.modules["keras"] = None
sys.modules["keras_sagan"] = None
import numpy as np
import tensorflow as tf

folder, inputs, outputs = sys.argv[1:]
serve = tf.saved_model.load(folder).signatures["serving_default"]
feeds = {name: tf.constant(value) for name, value in np.load(inputs).items()}
images = {}
for size in (1, 7, 64):
    rows = {name: value[:size] for name, value in feeds.items()}
    images[str(size)] = serve(**rows)["images"].numpy()
np.savez(outputs, **images)
print(json.dumps(sorted(name for name in sys.modules if name.startswith("keras"))))
"""


def _inputs(generator, count):
    rng = np.random.default_rng(0)
    inputs = {
        "latent": rng.normal(size=(count, generator.latent_dim)).astype("float32")
    }
    if generator.num_classes is not None:
        labels = np.arange(count) % generator.num_classes
        inputs["label"] = labels.astype("int32")
    return inputs


def test_same_images_without_keras(any_gan, any_export, tmp_path):
    inputs = _inputs(any_gan.generator, 64)
    np.savez(tmp_path / "in.npz", **inputs)
    arguments = [str(any_export), str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]
    done = subprocess.run(
        [sys.executable, "-c", _ALONE, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    # The two entries that the program itself put there, and nothing below them.
    assert json.loads(done.stdout) == ["keras", "keras_sagan"]
    actual = np.load(tmp_path / "out.npz")
    rows = list(inputs.values()) if "label" in inputs else inputs["latent"]
    wanted = any_gan.predict(rows, verbose=0)
    for size in (1, 7, 64):
        np.testing.assert_allclose(actual[str(size)], wanted[:size], atol=1e-5)


@pytest.mark.parametrize("label_dtype", ["int32", "int64"])
def test_keras_calls_the_export_as_a_layer(any_gan, any_export, label_dtype):
    inputs = _inputs(any_gan.generator, 3)
    given = list(inputs.values())
    if len(given) == 2:
        given[1] = given[1].astype(label_dtype)
    given = given if len(given) == 2 else given[0]
    layer = keras.layers.TFSMLayer(any_export, call_endpoint="serve")
    wanted = any_gan.predict(given, verbose=0)
    np.testing.assert_allclose(layer(given), wanted, atol=1e-5)
    symbolic = [keras.Input(x.shape[1:], dtype=str(x.dtype)) for x in
                (given if isinstance(given, list) else [given])]  # fmt: skip
    symbolic = symbolic if len(symbolic) == 2 else symbolic[0]
    model = keras.Model(symbolic, layer(symbolic))
    np.testing.assert_allclose(model.predict(given, verbose=0), wanted, atol=1e-5)


def test_a_layer_refuses_what_the_signatures_refuse(conditional_export):
    layer = keras.layers.TFSMLayer(conditional_export, call_endpoint="serve")
    for label in (3, -1, 2**32):  # the last is 0 after a cast to int32
        with pytest.raises(tf.errors.InvalidArgumentError, match="label must be in"):
            layer([np.zeros((1, 8), "float32"), np.array([label])])


def test_every_variable_is_written_once(any_gan, any_export):
    reader = tf.train.load_checkpoint(str(any_export / "variables" / "variables"))
    shapes = reader.get_variable_to_shape_map()
    written = sum(
        int(np.prod(shape))
        for name, shape in shapes.items()
        if name.endswith("VARIABLE_VALUE")
    )
    assert written == fold(any_gan.ema_generator).count_params()


def test_used_directory_is_refused(conditional_export):
    before = sorted(path.name for path in conditional_export.iterdir())
    with pytest.raises(FileExistsError, match="or be an empty folder"):
        tiny_gan().export(str(conditional_export))
    assert sorted(path.name for path in conditional_export.iterdir()) == before


def test_card_names_the_classes(any_gan, any_export):
    card = json.loads((any_export / "assets.extra" / "model.json").read_text())
    names = any_gan.class_names
    assert card["class_names"] == (None if names is None else list(names))
    assert (names is None) == (any_gan.generator.num_classes is None)


def test_committed_digits_draw():
    signatures = tf.saved_model.load(str(ROOT / "saved_models/glyphs/1")).signatures
    labels = tf.range(10, dtype=tf.int32)
    drawn = {"seed": tf.range(10, dtype=tf.int64), "truncation": tf.zeros(10)}
    images = signatures["generate"](**drawn, label=labels)["images"].numpy()
    assert images.shape == (10, 32, 32, 3)
    assert images.min() < 10 and images.max() > 240  # bright strokes on black
    assert 0.02 < (images.max(axis=-1) > 128).mean() < 0.5
    assert sorted(signatures) == [
        "attention", "generate", "generate_png", "serving_default"
    ]  # fmt: skip


def _requests(path):
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        assert log.WhichOneof("log_type") == "predict_log"
        yield log.predict_log.request


def test_every_signature_has_a_request_that_it_answers(any_export):
    requests = list(_requests(any_export / "assets.extra" / saved_model.WARMUP))
    signatures = tf.saved_model.load(str(any_export)).signatures
    names = [request.model_spec.signature_name for request in requests]
    assert sorted(names) == sorted(signatures)
    for request in requests:
        assert request.model_spec.name == any_export.parent.name
        function = signatures[request.model_spec.signature_name]
        inputs = {key: tf.make_ndarray(x) for key, x in request.inputs.items()}
        outputs = function(**{key: tf.constant(x) for key, x in inputs.items()})
        assert all(len(x) == 1 for x in outputs.values())


def test_values_arrive():
    rows = {"seed": np.arange(3), "label": np.array([2, 1, 0], np.int32)}
    log = prediction_log_pb2.PredictionLog.FromString(
        saved_model.prediction_log("digits", "generate", rows)
    )
    request = log.predict_log.request
    assert request.model_spec.name == "digits"
    assert request.model_spec.signature_name == "generate"
    assert sorted(request.inputs) == ["label", "seed"]
    for name, expected in rows.items():
        actual = tf.make_ndarray(request.inputs[name])
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)
