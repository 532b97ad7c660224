"""A server of TensorFlow Serving's protocols for trying out an exported model.

It is for development: one process, no encryption, no batching of requests, no
reloading, and a token for all at most. TensorFlow Serving is for everything else; what
is served by the one is served by the other without a change to the model or to its
clients.
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

_SPARE_THREADS = 8  # that refuse requests while the others deal with them
_LAST_ANSWERS = 1.0  # seconds to send them; whoever watches the health is cut off
_SERVICES = (
    "",
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
)


@dataclasses.dataclass(frozen=True)
class Limits:
    """What the server takes on.

    Args:
        max_batch: int. Rows of one request.
        max_request_bytes: int. Size of one request, by either protocol.
        max_answer_bytes: int. Size of one answer, by either protocol. It is worked out
            from the signature before anything is computed, for JSON as the longest
            that numbers of that type can be.
        max_concurrent: int. Requests dealt with at once, over both protocols.
        timeout: float. Seconds that a request waits for its turn, where it does not
            bring a deadline of its own.
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
    """Serves a model by gRPC and REST from threads of this process.

    Args:
        directory: str or path with the versions of the model: `saved_models/NAME`.
        name: str. The model's name in requests.
        host: str. Address to listen on. Whoever reaches it can use the server; the
            default can be reached from this machine only.
        grpc_port: int. 0 for a free one.
        rest_port: int. 0 for a free one.
        limits: `Limits`.
        every_version: bool. Serve all versions, not just the newest.
        labels: dict from version labels to version numbers.
        allowed_hosts: sequence of str. Names by which REST is reached, besides
            `localhost`, addresses, `host` and, where others can reach it, the name of
            this machine. Requests for other names are refused, and those of browsers
            from pages of other sites (gRPC is not for browsers).
        token: str. What every request must bring, by either protocol, in the header
            `Authorization: Bearer TOKEN`; `None` for none. Health is told to everyone.

    Raises:
        OSError: if there is no model or an address cannot be had.
        ValueError: for a label of a version that is not served, a port, a name or a
            token that is none.

    Attributes:
        grpc_port, rest_port: int. Where it listens.
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
                ("grpc.so_reuseport", 0),  # a second server on the port is an error
            ],
            # Those that wait for a thread, each with at most a window of its bytes.
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
        """Takes on no more requests, finishes those begun, and closes.

        Args:
            grace: float. Seconds for the requests begun; they are then cut off.

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
