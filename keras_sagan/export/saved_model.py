"""Writes a generator as a SavedModel for TensorFlow Serving."""

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
# TFRecord file of requests that TensorFlow Serving runs before it announces a version.
WARMUP = "tf_serving_warmup_requests"


def export_generator(
    generator: keras.Model, directory: str | os.PathLike, **facts: typing.Any
) -> None:
    """Writes a generator in inference mode as a SavedModel.

    The directory is complete or not there at all.

    Args:
        generator: built `Generator`.
        directory: str or path of a directory that does not exist or is empty.
        **facts: arguments of `write_saved_model`.

    Raises:
        FileExistsError: if there is something already.
    """
    directory = paths.local(directory).absolute()
    facts.setdefault("name", directory.parent.name)
    writing.create_folder(
        directory, lambda folder: write_saved_model(generator, folder, **facts)
    )


def write_saved_model(
    generator: keras.Model, directory: pathlib.Path, name: str, **facts: typing.Any
) -> None:
    """Writes a SavedModel with warm-up requests and a model card to `directory`.

    It has the signatures of `concrete_signatures`, and the endpoint `serve` that
    `keras.layers.TFSMLayer` calls. All share a single concrete function for the
    network, and each variable is written once.

    Args:
        generator: built `Generator`.
        directory: path of an empty directory.
        name: str. Name of the model.
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
    """Writes a request for each signature, with one row of zeros.

    Args:
        path: path of the file to write.
        signatures: dict from the name of a signature to its concrete function.
        model_name: str. Name of the model in the requests.
    """
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, function in signatures.items():
            rows = {
                spec.name: np.zeros((1, *spec.shape[1:]), spec.dtype.as_numpy_dtype)
                for spec in function.structured_input_signature[0]
            }
            writer.write(prediction_log(model_name, name, rows))


def prediction_log(model_name, signature, inputs):
    """Serialises a `PredictionLog` (tensorflow-serving-api) of one `PredictRequest`.

    Args:
        model_name: str.
        signature: str.
        inputs: dict from the name of an input to an array.
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
