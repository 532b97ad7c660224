"""The client's messages against TensorFlow Serving's own, byte for byte."""

import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    predict_pb2,
)

from keras_sagan.serving import messages

OFFICIAL = {
    "Tensor": tf.make_tensor_proto(0).__class__,
    "ModelSpec": model_pb2.ModelSpec,
    "PredictRequest": predict_pb2.PredictRequest,
    "PredictResponse": predict_pb2.PredictResponse,
    "SignatureDefMap": get_model_metadata_pb2.SignatureDefMap,
    "GetModelMetadataRequest": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelMetadataResponse": get_model_metadata_pb2.GetModelMetadataResponse,
    "GetModelStatusRequest": get_model_status_pb2.GetModelStatusRequest,
    "GetModelStatusResponse": get_model_status_pb2.GetModelStatusResponse,
}
ENUM, INT32 = 14, 5  # types of descriptor.proto; the same bytes


def compare(ours, theirs, seen):
    """Every field of ours is theirs, with that name, number and type."""
    if ours.name in seen:
        return
    seen.add(ours.name)
    for field in ours.fields:
        other = theirs.fields_by_name[field.name]
        assert field.number == other.number, field.full_name
        assert field.is_repeated == other.is_repeated, field.full_name
        kind = INT32 if other.type == ENUM else other.type
        assert field.type == kind, field.full_name
        if field.message_type is not None:
            compare(field.message_type, other.message_type, seen)


@pytest.mark.parametrize("name", OFFICIAL)
def test_fields_are_those_of_the_official_messages(name):
    seen = set()
    compare(getattr(messages, name).DESCRIPTOR, OFFICIAL[name].DESCRIPTOR, seen)
    assert name in seen


def test_states_are_those_of_the_official_enum():
    states = get_model_status_pb2.ModelVersionStatus.State
    assert {number: name for name, number in states.items()} == messages.STATES


def test_requests_are_read_by_the_official_messages():
    request = messages.PredictRequest(output_filter=["images"])
    request.model_spec.name = "m"
    request.model_spec.version.value = 3
    request.inputs["seed"].int64_val.append(-5)
    official = predict_pb2.PredictRequest.FromString(request.SerializeToString())
    assert official.model_spec.name == "m"
    assert official.model_spec.version.value == 3
    assert list(official.inputs["seed"].int64_val) == [-5]
    assert list(official.output_filter) == ["images"]
