"""Against servers made of TensorFlow Serving's own stubs."""

import concurrent.futures
import contextlib
import socket
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
import trustme
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_sagan.serving.client.client import Client
from keras_sagan.serving.client.retries import Retries
from keras_sagan.serving.errors import Code, ServingError

QUICK = Retries(attempts=4, initial_pause=0.01)


class Echo(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    """Refuses `busy` requests, then answers with what it was sent, as lists."""

    def __init__(self, busy=0):
        self.busy, self.requests = busy, []

    def Predict(self, request, context):
        self.requests.append(request)
        if len(self.requests) <= self.busy:
            context.abort(grpc.StatusCode.UNAVAILABLE, "loading")
        response = predict_pb2.PredictResponse()
        for name, proto in request.inputs.items():
            values = tf.make_ndarray(proto)
            answer = response.outputs[name]
            answer.dtype = proto.dtype
            answer.tensor_shape.CopyFrom(proto.tensor_shape)
            answer.int_val.extend(values.ravel().tolist())
        return response

    def GetModelStatus(self, request, context):
        response = get_model_status_pb2.GetModelStatusResponse()
        for version, state in [(2, 20), (1, 30)]:
            response.model_version_status.add(version=version, state=state)
        return response


@contextlib.contextmanager
def running(service, credentials=None):
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(4),
        options=[
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
        ],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, server)
    if credentials:
        port = server.add_secure_port("localhost:0", credentials)
    else:
        port = server.add_insecure_port("localhost:0")
    server.start()
    yield f"localhost:{port}"
    server.stop(0).wait()


def test_answers_as_lists_and_the_model_asked_for():
    service = Echo()
    sent = np.arange(6, dtype="uint8").reshape(2, 3)
    with running(service) as target:
        with Client(f"grpc://{target}/m/versions/5") as client:
            got = client.predict("s", {"x": sent})["x"]
        with Client(f"grpc://{target}/m/labels/stable") as client:
            client.predict("s", {"x": sent})
    assert got.dtype == sent.dtype
    np.testing.assert_array_equal(got, sent)
    first, second = (request.model_spec for request in service.requests)
    assert (first.name, first.version.value, first.signature_name) == ("m", 5, "s")
    assert not second.HasField("version") and second.version_label == "stable"


def test_states_of_versions():
    with running(Echo()) as target, Client(f"grpc://{target}/m") as client:
        assert client.status() == {2: "LOADING", 1: "AVAILABLE"}


def test_answers_larger_than_grpc_allows_by_default():
    sent = np.zeros((1, 5 * 2**20), "uint8")
    with running(Echo()) as target:
        with Client(f"grpc://{target}/m", retries=QUICK) as client:
            assert client.predict("s", {"x": sent})["x"].shape == sent.shape
        small = {"max_message_bytes": 2**20, "retries": QUICK}
        with Client(f"grpc://{target}/m", **small) as client:
            with pytest.raises(ServingError) as refused:
                client.predict("s", {"x": sent})
    assert refused.value.code is Code.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    "tensor",
    [
        {"dtype": 4, "tensor_shape": {"dim": [{"size": 2**40}]}, "int_val": [1]},
        {"dtype": 4, "tensor_shape": {"dim": [{"size": -1}]}, "int_val": [1]},
        {"dtype": 4, "tensor_shape": {"dim": [{"size": 1}]}, "int_val": [1, 2]},
        {"dtype": 8},
    ],
    ids=["large", "unknown", "long", "type"],
)
def test_answers_that_are_no_tensors(tensor):
    answer = predict_pb2.PredictResponse(outputs={"x": tensor})
    service = Echo()
    service.Predict = lambda request, context: answer
    with running(service) as target:
        with Client(f"grpc://{target}/m", retries=QUICK) as client:
            with pytest.raises(ServingError, match="The answer cannot be read"):
                client.predict("s", {"x": np.uint8([1])})


def test_tries_again_while_the_server_is_busy():
    service = Echo(busy=2)
    with running(service) as target:
        with Client(f"grpc://{target}/m", retries=QUICK) as client:
            client.predict("s", {"x": np.zeros(1, "uint8")})
    assert len(service.requests) == 3


def test_waits_for_a_server_that_is_not_there_yet():
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    ready = []

    def start_late():
        time.sleep(0.3)
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            Echo(), server
        )
        server.add_insecure_port(f"localhost:{port}")
        server.start()
        ready.append(server)

    thread = threading.Thread(target=start_late)
    thread.start()
    patient = Retries(attempts=1000, initial_pause=0.05, longest_pause=0.05)
    with Client(f"grpc://localhost:{port}/m", timeout=60, retries=patient) as client:
        assert client.predict("s", {"x": np.ones(1, "uint8")})["x"] == 1
    thread.join()
    ready[0].stop(0).wait()


def test_a_server_that_never_answers():
    with socket.create_server(("localhost", 0)) as silent:
        url = f"grpc://localhost:{silent.getsockname()[1]}/m"
        with Client(url, timeout=0.3) as client, pytest.raises(ServingError) as late:
            client.status()
    assert late.value.code is Code.DEADLINE_EXCEEDED


def test_tls(tmp_path, monkeypatch):
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    chain = b"".join(part.bytes() for part in certificate.cert_chain_pems)
    credentials = grpc.ssl_server_credentials(
        [(certificate.private_key_pem.bytes(), chain)]
    )
    authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", str(tmp_path / "roots.pem"))
    with running(Echo(), credentials) as target:
        with Client(f"grpcs://{target}/m", timeout=60) as client:
            assert client.status()[1] == "AVAILABLE"
        with Client(f"grpc://{target}/m", timeout=1) as client:
            with pytest.raises(ServingError):
                client.status()
