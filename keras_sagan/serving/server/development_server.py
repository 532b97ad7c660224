"""A server with TensorFlow Serving's protocols, for trying out an exported model.

It is for development: a single process without encryption, batching of requests or
reloading, and with at most one token for everyone. For everything else there is
TensorFlow Serving, which serves the same models to the same clients without any change.
"""

import concurrent.futures
import dataclasses
import os

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from keras_sagan.listening.access import Access
from keras_sagan.listening.ports import check_port
from keras_sagan.serving.server.admission import Admission
from keras_sagan.serving.server.grpc_access import TokenInterceptor
from keras_sagan.serving.server.grpc_services import ModelService, PredictionService
from keras_sagan.serving.server.rest_interface import RestInterface
from keras_sagan.serving.server.rest_server import RestServer
from keras_sagan.serving.server.servable import load_versions
from keras_sagan.serving.server.served_model import ServedModel

_SPARE_THREADS = 8  # to refuse requests while all others are busy
_LAST_ANSWERS = 1.0  # seconds to send them; endless health watches are cut off then
_SERVICES = (
    "",
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
)


@dataclasses.dataclass(frozen=True)
class Limits:
    """The limits of what a server accepts.

    Args:
        max_batch: int. Number of rows of a request.
        max_request_bytes: int. Size of a request, over either protocol.
        max_answer_bytes: int. Size of an answer, over either protocol. It is estimated
            from the signature before anything is computed; for JSON, every number
            counts as the longest of its type.
        max_concurrent: int. Number of requests handled at once, over both protocols.
        timeout: float. Seconds that a request without a deadline of its own waits for
            its turn.
    """

    max_batch: int = 64
    max_request_bytes: int = 4 * 2**20
    max_concurrent: int = 64
    timeout: float = 30.0
    max_answer_bytes: int = 128 * 2**20

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value <= 0:
                raise ValueError(f"`{field.name}` must be positive. Received: {value}.")


class DevelopmentServer:
    """Serves a model over gRPC and REST from threads of this process.

    Args:
        directory: str or path that holds the versions of the model, such as
            `saved_models/NAME`.
        name: str. Name of the model in requests.
        host: str. Address to listen on. Whoever can reach it can use the server; the
            default can be reached from this machine only.
        grpc_port: int. 0 for any free port.
        rest_port: int. 0 for any free port.
        limits: `Limits`.
        every_version: bool. Whether to serve all versions instead of only the newest.
        labels: dict from version labels to version numbers.
        allowed_hosts: sequence of str. Further names by which clients may address the
            REST interface. Always allowed are `localhost`, IP addresses, `host` and, if
            other machines can reach the server, the name of this machine. Requests for
            any other name are refused, as are those that a browser sends from pages of
            other sites. (Browsers cannot speak gRPC.)
        token: str, or `None`. If given, every request over either protocol must carry
            it in the header `Authorization: Bearer TOKEN`, except health checks.

    Raises:
        OSError: if there is no model, or if an address is not available.
        ValueError: if a label names a version that is not served, or if a port, a host
            name or the token is invalid.

    Attributes:
        grpc_port, rest_port: int. The ports on which it listens.
        model: `ServedModel`.
    """

    def __init__(
        self,
        directory,
        name,
        host="127.0.0.1",
        grpc_port=8500,
        rest_port=8501,
        limits=None,
        every_version=False,
        labels=None,
        allowed_hosts=(),
        token=None,
    ):
        limits = limits or Limits()
        check_port(grpc_port, "grpc_port")
        check_port(rest_port, "rest_port")
        access = Access(host, allowed_hosts, token)
        versions = load_versions(directory, limits.max_batch, every_version)
        labels = dict(labels or {})
        unknown = {
            label: version
            for label, version in labels.items()
            if version not in versions
        }
        if unknown:
            raise ValueError(
                f"`labels` must name versions of {sorted(versions)}. Received: "
                f"{unknown}."
            )
        admission = Admission(limits.max_concurrent, max_running=os.cpu_count() or 1)
        self.model = ServedModel(name, versions, labels, admission)
        self._start_grpc(access, host, grpc_port, limits)
        interface = RestInterface(self.model, limits)
        try:
            self._rest = RestServer(
                interface, admission, access, host, rest_port, limits
            )
        except BaseException:
            self._grpc.stop(0)
            raise
        self.rest_port = self._rest.port

    def _start_grpc(self, access, host, port, limits):
        workers = limits.max_concurrent + _SPARE_THREADS
        self._grpc = grpc.server(
            concurrent.futures.ThreadPoolExecutor(workers, "grpc"),
            interceptors=[TokenInterceptor(access)],
            options=[
                ("grpc.max_receive_message_length", limits.max_request_bytes),
                ("grpc.max_send_message_length", -1),
                # By default, two servers could share a port without noticing.
                ("grpc.so_reuseport", 0),
            ],
            # Calls beyond the threads wait; each holds a flow-control window of bytes.
            maximum_concurrent_rpcs=4 * workers,
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(self.model, limits), self._grpc
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(self.model), self._grpc
        )
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        try:
            self.grpc_port = self._grpc.add_insecure_port(_target(host, port))
        except RuntimeError as error:
            raise OSError(f"gRPC cannot listen on {_target(host, port)}.") from error
        self._grpc.start()
        for service in _SERVICES:
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace=10.0):
        """Refuses new requests, finishes those that have begun, and shuts down.

        Args:
            grace: float. Seconds after which requests that have begun are cut off.

        Returns:
            bool. Whether all of them were finished.
        """
        self._health.enter_graceful_shutdown()
        self.model.admission.close()
        finished = self.model.admission.wait_until_idle(grace)
        self._grpc.stop(_LAST_ANSWERS).wait()
        self._rest.stop()
        return finished


def _target(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
