import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_sagan.export import warmup


def _requests(path):
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        assert log.WhichOneof("log_type") == "predict_log"
        yield log.predict_log.request


def test_every_signature_has_a_request_that_it_answers(any_export):
    requests = list(_requests(any_export / "assets.extra" / warmup.FILE))
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
        warmup.prediction_log("digits", "generate", rows)
    )
    request = log.predict_log.request
    assert request.model_spec.name == "digits"
    assert request.model_spec.signature_name == "generate"
    assert sorted(request.inputs) == ["label", "seed"]
    for name, expected in rows.items():
        actual = tf.make_ndarray(request.inputs[name])
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)
