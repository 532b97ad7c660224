"""The server's gRPC against TensorFlow Serving's own stubs."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_sagan.serving.client.address import parse_address


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(parse_address(server.grpc).target) as channel:
        yield channel


def predict(channel, output_filter=(), timeout=60, **inputs):
    request = predict_pb2.PredictRequest(output_filter=output_filter)
    request.model_spec.name = "glyphs"
    request.model_spec.signature_name = "attention"
    for name, value in inputs.items():
        proto = tf.make_tensor_proto(value) if isinstance(value, np.ndarray) else value
        request.inputs[name].CopyFrom(proto)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    return stub.Predict(request, timeout=timeout)


def test_predict(channel):
    inputs = {"latent": np.zeros((2, 128), "float32"), "label": np.int32([1, 2])}
    response = predict(channel, **inputs)
    assert response.model_spec.version.value == 1
    assert response.model_spec.signature_name == "attention"
    images = tf.make_ndarray(response.outputs["images"])
    assert images.shape == (2, 32, 32, 3)
    assert len(response.outputs) > 1
    only = predict(channel, ["images"], **inputs)
    assert list(only.outputs) == ["images"]
    np.testing.assert_array_equal(tf.make_ndarray(only.outputs["images"]), images)


def test_values_may_come_as_a_list(channel):
    zeros = np.zeros((1, 128), "float32")
    short = tf.make_tensor_proto(zeros)
    short.ClearField("tensor_content")
    short.float_val.append(0.0)  # stands for all 128
    label = np.int32([1])
    images, expected = (
        predict(channel, latent=latent, label=label).outputs["images"]
        for latent in (short, zeros)
    )
    assert images == expected


def test_an_error_has_the_graphs_status(channel):
    with pytest.raises(grpc.RpcError) as refused:
        predict(channel, latent=np.zeros((1, 128), "float32"), label=np.int32([10]))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "label must be in [0, 10)" in refused.value.details()


def test_metadata(channel):
    request = get_model_metadata_pb2.GetModelMetadataRequest(
        metadata_field=["signature_def"]
    )
    request.model_spec.name = "glyphs"
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    response = stub.GetModelMetadata(request)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    seed = signatures.signature_def["generate"].inputs["seed"]
    assert tf.as_dtype(seed.dtype) == tf.int64


def test_status(channel):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "glyphs"
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    [version] = stub.GetModelStatus(request).model_version_status
    assert version.version == 1
    assert version.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE
    request.model_spec.version.value = 2
    with pytest.raises(grpc.RpcError) as missing:
        stub.GetModelStatus(request)
    assert missing.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("service", ["", "tensorflow.serving.PredictionService"])
def test_health(channel, service):
    stub = health_pb2_grpc.HealthStub(channel)
    answer = stub.Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
