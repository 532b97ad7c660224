"""The gRPC services of the development server, built on TensorFlow Serving's stubs."""

import contextlib
import math

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import any_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_sagan.serving.errors import ServingError, invalid
from keras_sagan.serving.server import answer_size

_STATUS = {code.value[0]: code for code in grpc.StatusCode}
_SIGNATURE_DEF = "signature_def"


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers `Predict` and `GetModelMetadata`; other methods are `UNIMPLEMENTED`.

    Args:
        model: `ServedModel`.
        limits: `Limits`.
    """

    def __init__(self, model, limits):
        self._model = model
        self._limits = limits

    def Predict(self, request, context):
        """Runs a signature of the model."""
        with _aborting(context), self._model.admission.admitted():
            return self._predict(request, context)

    def _predict(self, request, context):
        version, servable = find(self._model, request.model_spec)
        name = request.model_spec.signature_name
        signature = servable.signature(name)
        wanted = _output_names(signature, request.output_filter)
        types = {key: _signature_proto(proto) for key, proto in request.inputs.items()}
        servable.check(signature, types)
        max_bytes = self._limits.max_answer_bytes
        expected = answer_size.expected(
            {key: signature.outputs[key] for key in wanted}, types
        )
        answer_size.check(answer_size.message_bytes(expected), max_bytes)
        remaining = context.time_remaining()
        timeout = self._limits.timeout if remaining is None else remaining
        with self._model.admission.running(timeout):
            inputs = {key: _array(key, proto) for key, proto in request.inputs.items()}
            outputs = servable.run(name, inputs)
        # Checked again, now that strings and unknown dimensions can be counted.
        actual = answer_size.actual({key: outputs[key] for key in wanted})
        answer_size.check(answer_size.message_bytes(actual), max_bytes)
        response = predict_pb2.PredictResponse()
        response.model_spec.CopyFrom(request.model_spec)
        response.model_spec.version.value = version
        for key in wanted:
            response.outputs[key].CopyFrom(tf.make_tensor_proto(outputs[key]))
        return response

    def GetModelMetadata(self, request, context):
        """Describes the signatures of the model."""
        with _aborting(context):
            if list(request.metadata_field) != [_SIGNATURE_DEF]:
                raise invalid(
                    f"metadata_field must be ['{_SIGNATURE_DEF}']. Received: "
                    f"{list(request.metadata_field)[:8]}."
                )
            return metadata(self._model, request.model_spec)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Answers `GetModelStatus`; the model cannot be replaced while the server runs."""

    def __init__(self, model):
        self._model = model

    def GetModelStatus(self, request, context):
        """Lists the versions that are served."""
        with _aborting(context):
            return status(self._model, request.model_spec)


def metadata(model, spec):
    """Returns the `GetModelMetadataResponse` for a `ModelSpec`."""
    version, servable = find(model, spec)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = model.name
    response.model_spec.version.value = version
    packed = any_pb2.Any()
    packed.Pack(signature_definitions(servable))
    response.metadata[_SIGNATURE_DEF].CopyFrom(packed)
    return response


def signature_definitions(servable):
    """Returns the `SignatureDefMap` of a `Servable`."""
    definitions = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in servable.signature_defs.items():
        definitions.signature_def[name].CopyFrom(definition)
        definitions.signature_def[name].ClearField("defaults")  # as TF Serving does
    return definitions


def status(model, spec):
    """Returns the `GetModelStatusResponse` for a `ModelSpec`."""
    versions = model.versions
    if spec.HasField("version") or spec.version_label or spec.name != model.name:
        versions = [find(model, spec)[0]]
    response = get_model_status_pb2.GetModelStatusResponse()
    for version in sorted(versions, reverse=True):
        response.model_version_status.add(
            version=version,
            state=get_model_status_pb2.ModelVersionStatus.AVAILABLE,
            status={},
        )
    return response


def find(model, spec):
    """Returns the `(version, servable)` that a `ModelSpec` asks for."""
    if not spec.name:
        raise invalid("Missing model name in request.")
    return model.find(
        spec.name,
        spec.version.value if spec.HasField("version") else None,
        spec.version_label or None,
    )


@contextlib.contextmanager
def _aborting(context):
    try:
        yield
    except ServingError as error:
        context.abort(_STATUS[int(error.code)], error.message)


def _signature_proto(proto):
    try:
        dtype = np.dtype(tf.as_dtype(proto.dtype).as_numpy_dtype)
    except (TypeError, KeyError) as error:
        raise invalid(f"Tensors of type number {proto.dtype} are not known.") from error
    if proto.tensor_shape.unknown_rank:
        raise invalid("A tensor must state its shape.")
    return dtype, tuple(dim.size for dim in proto.tensor_shape.dim)


def _array(name, proto):
    """Returns the values of a tensor whose type and shape have been checked."""
    count = math.prod(dim.size for dim in proto.tensor_shape.dim)
    try:
        array = tf.make_ndarray(proto)
    except (ValueError, TypeError, IndexError) as error:
        message = f"Input {name!r} does not have {count} values: {error}"
        raise invalid(message) from error
    if array.size != count:
        raise invalid(f"Input {name!r} does not have {count} values.")
    return array


def _output_names(signature, output_filter):
    if not output_filter:
        return sorted(signature.outputs)
    unknown = sorted(set(output_filter) - set(signature.outputs))
    if unknown or len(set(output_filter)) != len(output_filter):
        raise invalid(
            f"output_filter must name outputs of {sorted(signature.outputs)}, each "
            f"once. Received: {list(output_filter)[:8]}."
        )
    return list(output_filter)
