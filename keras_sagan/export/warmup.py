"""Warm-up requests: what TensorFlow Serving runs before it announces a version."""

import numpy as np
import tensorflow as tf

from keras_sagan.export import protobuf

FILE = "tf_serving_warmup_requests"  # in assets.extra, a TFRecord of PredictionLog


def write_warmup(path, signatures, model_name):
    """Write one request a signature, of one row of zeros.

    Args:
        path: of the file to write.
        signatures: dict from a name to a concrete function.
        model_name: str. What the requests call the model.
    """
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, function in signatures.items():
            rows = {
                spec.name: np.zeros((1, *spec.shape[1:]), spec.dtype.as_numpy_dtype)
                for spec in function.structured_input_signature[0]
            }
            writer.write(prediction_log(model_name, name, rows))


def prediction_log(model_name, signature, inputs):
    """A serialised `PredictionLog` of one `PredictRequest` (tensorflow-serving-api).

    Args:
        model_name: str.
        signature: str.
        inputs: dict from a name to an array.
    """
    request = protobuf.encode(
        1, protobuf.encode(1, model_name) + protobuf.encode(3, signature)
    )  # model_spec: name, signature_name
    for name, rows in inputs.items():
        tensor = tf.make_tensor_proto(rows).SerializeToString()
        request += protobuf.encode(
            2, protobuf.encode(1, name) + protobuf.encode(2, tensor)
        )
    # PredictionLog.predict_log, PredictLog.request
    return protobuf.encode(6, protobuf.encode(1, request))
