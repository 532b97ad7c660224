"""The server as a whole, in this process: limits, addresses, stopping."""

import contextlib
import shutil
import threading
import time

import grpc
import keras
import numpy as np
import pytest
import tensorflow as tf
import urllib3
from grpc_health.v1 import health_pb2, health_pb2_grpc
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from keras_sagan.cli.main import main
from keras_sagan.export import export_generator
from keras_sagan.models import Generator
from keras_sagan.serving.client.client import Client
from keras_sagan.serving.client.retries import Retries
from keras_sagan.serving.errors import Code, ServingError
from keras_sagan.serving.server.development_server import DevelopmentServer, Limits
from tests.serving.conftest import GLYPHS

ONCE = Retries(attempts=1)


@contextlib.contextmanager
def running(directory=GLYPHS, **options):
    options = {"grpc_port": 0, "rest_port": 0} | options
    server = DevelopmentServer(directory, "m", **options)
    stopped = []
    try:
        yield server, lambda: stopped.append(server.stop(grace=60))
    finally:
        if not stopped:
            server.stop(grace=1)


def urls(server, suffix="", host="127.0.0.1"):
    return (
        f"grpc://{host}:{server.grpc_port}/m{suffix}",
        f"http://{host}:{server.rest_port}/v1/models/m{suffix}",
    )


def test_limits_must_be_positive():
    with pytest.raises(ValueError, match=r"`max_batch` must be positive. Received: 0"):
        Limits(max_batch=0)


def test_both_protocols_keep_the_limits():
    limits = Limits(max_batch=2, max_request_bytes=1000)
    with running(limits=limits) as (server, _):
        for url in urls(server):
            with Client(url, retries=ONCE) as client:
                assert len(client.generate(labels=[1, 2])) == 2
                with pytest.raises(ServingError, match="1 to 2 rows") as refused:
                    client.generate(labels=[1, 2, 3])
                assert refused.value.code is Code.INVALID_ARGUMENT
                latent = {"latent": np.zeros((2, 128), "float32"), "label": [1, 2]}
                latent["label"] = np.int32(latent["label"])
                with pytest.raises(ServingError) as refused:
                    client.predict("serving_default", latent)
                assert refused.value.code is Code.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(("protocol", "limit"), [(0, 132_000), (1, 880_000)])
def test_answers_are_bounded_before_they_are_computed(monkeypatch, protocol, limit):
    """One row of attention has 256 x 64 weights and 32 x 32 x 3 pixels."""
    limits = Limits(max_answer_bytes=limit)
    with running(limits=limits) as (server, _):
        servable = server.model.versions[1]
        run, computed = servable.run, []

        def counted(name, inputs):
            computed.append(name)
            return run(name, inputs)

        monkeypatch.setattr(servable, "run", counted)
        with Client(urls(server)[protocol], retries=ONCE) as client:
            one = client.attention_maps(np.zeros((1, 128)), [1])
            assert one["attention_16"].shape == (1, 256, 64)
            assert computed == ["attention"]
            with pytest.raises(ServingError, match="--max-answer-bytes") as refused:
                client.attention_maps(np.zeros((2, 128)), [1, 2])
            assert refused.value.code is Code.INVALID_ARGUMENT
            assert f"{limit:,} at most" in refused.value.message
            assert computed == ["attention"]
            assert len(client.generate_png([1] * 16)) == 16


def test_strings_are_bounded_before_they_are_sent():
    with running(limits=Limits(max_answer_bytes=8000)) as (server, _):
        for url in urls(server):
            with Client(url, retries=ONCE) as client:
                assert len(client.generate_png(labels=[1])) == 1
                with pytest.raises(ServingError, match="--max-answer-bytes"):
                    client.generate_png(labels=[1] * 16)


def test_an_output_that_is_not_asked_for_does_not_count():
    with running(limits=Limits(max_answer_bytes=50_000)) as (server, _):
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            request = predict_pb2.PredictRequest(output_filter=["images"])
            request.model_spec.name = "m"
            request.model_spec.signature_name = "attention"
            inputs = {"latent": np.zeros((2, 128), "float32"), "label": [1, 2]}
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            assert list(stub.Predict(request, timeout=60).outputs) == ["images"]
            del request.output_filter[:]
            with pytest.raises(grpc.RpcError) as refused:
                stub.Predict(request, timeout=60)
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "--max-answer-bytes" in refused.value.details()


def test_a_token_over_both_protocols():
    token = "0123456789abcdef-._~+/="
    with running(token=token) as (server, _):
        for url in urls(server):
            with Client(url, token=token) as client:
                assert client.status() == {1: "AVAILABLE"}
                assert "generate" in client.signatures()
                assert len(client.generate(labels=[1])) == 1
            for other in (None, "0123456789abcdef"):
                with Client(url, token=other, retries=ONCE) as client:
                    for ask in (
                        client.status,
                        client.signatures,
                        lambda client=client: client.generate(labels=[1]),
                    ):
                        with pytest.raises(ServingError, match="wants a token") as no:
                            ask()
                        assert no.value.code is Code.UNAUTHENTICATED


def test_names_by_which_rest_is_reached():
    with running(allowed_hosts=["models.example"]) as (server, _):
        url = f"{urls(server)[1]}/metadata"
        for host, status in [("models.example", 200), ("evil.example", 403)]:
            got = urllib3.request("GET", url, headers={"Host": host}, retries=False)
            assert got.status == status


@pytest.mark.parametrize("name", ["grpc_port", "rest_port"])
@pytest.mark.parametrize("port", [70000, -1, True])
def test_what_is_no_port(name, port):
    """gRPC would listen on 4464 for 70000."""
    with pytest.raises(ValueError, match=rf"`{name}` must be an integer in \[0, 65535"):
        DevelopmentServer(GLYPHS, "m", **{"grpc_port": 0, "rest_port": 0, name: port})


def test_requests_over_both_protocols_are_counted_together():
    with running(limits=Limits(max_concurrent=1)) as (server, _):
        with server.model.admission.admitted():  # as a request would
            for url in urls(server):
                with Client(url, retries=ONCE) as client:
                    with pytest.raises(ServingError) as refused:
                        client.generate(labels=[1])
                    assert refused.value.code is Code.UNAVAILABLE
                    assert client.status() == {1: "AVAILABLE"}


def test_versions_and_labels(tmp_path):
    for version in ("1", "2"):
        shutil.copytree(GLYPHS / "1", tmp_path / version)
    with running(tmp_path, every_version=True, labels={"old": 1}) as (server, _):
        for plain, labelled, first in zip(
            urls(server),
            urls(server, "/labels/old"),
            urls(server, "/versions/1"),
            strict=True,
        ):
            with Client(plain) as client:
                assert client.status() == {1: "AVAILABLE", 2: "AVAILABLE"}
            for url in (labelled, first):
                with Client(url) as client:
                    assert client.status() == {1: "AVAILABLE"}
                    assert len(client.generate(labels=[1])) == 1
    with pytest.raises(ValueError, match=r"`labels` must name versions of \[2\]"):
        DevelopmentServer(tmp_path, "m", labels={"old": 1})


def test_loopback_of_ipv6():
    with running(host="::1") as (server, _):
        for url in urls(server, host="[::1]"):
            with Client(url) as client:
                assert client.status() == {1: "AVAILABLE"}


def test_an_address_that_is_taken():
    with running() as (server, _):
        for port in ("grpc_port", "rest_port"):
            taken = {"grpc_port": 0, "rest_port": 0, port: getattr(server, port)}
            with pytest.raises(OSError, match=r"in use|cannot listen"):
                DevelopmentServer(GLYPHS, "m", **taken)


def test_stopping_finishes_what_was_begun(monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    images, late = [], []
    with running() as (server, stop):
        servable = server.model.versions[1]
        run = servable.run

        def slow(*arguments):
            begun.set()
            go_on.wait()
            return run(*arguments)

        monkeypatch.setattr(servable, "run", slow)
        grpc_url, rest_url = urls(server)

        def ask():
            with Client(grpc_url, timeout=60) as client:
                images.append(client.generate(labels=[1]))

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        begun.wait()
        stopping = threading.Thread(target=stop, daemon=True)
        stopping.start()
        while server.model.admission.is_open:
            pass
        with Client(rest_url, retries=ONCE) as client:
            try:
                client.predict("generate", {})
            except ServingError as error:
                late.append(error.code)
        time.sleep(1.5)  # more than the second that answers are given to be sent
        go_on.set()
        asking.join()
        stopping.join()
    assert len(images) == 1
    assert late == [Code.UNAVAILABLE]


def test_health_says_that_it_stops():
    with running() as (server, stop):
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            watched = stub.Watch(health_pb2.HealthCheckRequest())
            assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
            stop()
            after = next(watched).status
    assert after == health_pb2.HealthCheckResponse.NOT_SERVING


def test_an_unconditional_model(tmp_path):
    keras.utils.set_random_seed(0)
    generator = Generator(
        num_classes=None, base_filters=2, latent_dim=4, attention_resolutions=()
    )
    export_generator(generator, tmp_path / "1")
    with running(tmp_path) as (server, _):
        pictures = []
        for url in urls(server):
            with Client(url) as client:
                pictures.append(client.generate(num_images=3, seed=5))
            grid = tmp_path / f"grid{len(pictures)}.png"
            options = ["-o", str(grid), "--num-images", "4"]
            assert main(["sample", "--server", url, *options]) == 0
            with Image.open(grid) as image:
                assert image.size == (2 * 34 + 2, 2 * 34 + 2)
    np.testing.assert_array_equal(*pictures)
    assert pictures[0].shape == (3, 32, 32, 3)
