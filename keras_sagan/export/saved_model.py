"""SavedModels of a generator, as TensorFlow Serving loads them."""

import os
import pathlib
import typing

import keras
import numpy as np
import tensorflow as tf

from keras_sagan.export import card, protobuf
from keras_sagan.export.signatures import concrete_signatures, keras_endpoint
from keras_sagan.files import paths, writing

EXTRA = "assets.extra"
# Requests that TensorFlow Serving runs before it announces a version (TFRecord).
WARMUP = "tf_serving_warmup_requests"


def export_generator(
    generator: keras.Model, directory: str | os.PathLike, **facts: typing.Any
) -> None:
    """Write `generator` in inference mode to `directory`, complete or not at all.

    Args:
        generator: `Generator`, built.
        directory: str or path; must not exist yet, or be empty.
        **facts: arguments of `write_saved_model`.

    Raises:
        FileExistsError: if something is there already.
    """
    directory = paths.local(directory).absolute()
    facts.setdefault("name", directory.parent.name)
    writing.create_folder(
        directory, lambda folder: write_saved_model(generator, folder, **facts)
    )


def write_saved_model(
    generator: keras.Model, directory: pathlib.Path, name: str, **facts: typing.Any
) -> None:
    """Write `generator` with warm-up requests and model card to `directory`.

    The signatures are those of `concrete_signatures`, and `serve` is what
    `keras.layers.TFSMLayer` calls. They share one concrete function for the network,
    and each variable is written once.

    Args:
        generator: `Generator`, built.
        directory: path of an empty directory.
        name: str. Of the model.
        **facts: other arguments of `model_card`.
    """
    signatures, variables = concrete_signatures(generator)
    module = tf.Module()
    module.v = variables
    module.serve = keras_endpoint(signatures["serving_default"])
    tf.saved_model.save(module, str(directory), signatures=signatures)
    extra = directory / EXTRA
    extra.mkdir()
    write_warmup(extra / WARMUP, signatures, name)
    card.write_card(extra, card.model_card(generator, name, **facts))


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
