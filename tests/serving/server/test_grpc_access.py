import concurrent.futures
import contextlib

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from keras_sagan.listening.access import Access
from keras_sagan.serving.server.grpc_access import TokenInterceptor

TOKEN = "secret" * 4


@contextlib.contextmanager
def running(token):
    """A server with `/s/echo`, which answers what it got, and with health."""
    access = Access("127.0.0.1", token=token)
    echo = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    threads = concurrent.futures.ThreadPoolExecutor(2)
    server = grpc.server(threads, interceptors=[TokenInterceptor(access)])
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("s", {"echo": echo})]
    )
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    server.stop(0).wait()


def test_without_a_token_everyone_is_answered():
    with running(None) as channel:
        assert channel.unary_unary("/s/echo")(b"x", timeout=60) == b"x"


@pytest.mark.parametrize("method", ["/s/echo", "/s/unknown"])
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", f"Bearer {TOKEN}x", f"bearer {TOKEN}", TOKEN]
)
def test_a_token_that_is_missing_or_wrong(method, header):
    with running(TOKEN) as channel:
        metadata = [] if header is None else [("authorization", header)]
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(method)(b"x", timeout=60, metadata=metadata)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "--token-file" in refused.value.details()
    assert TOKEN not in refused.value.details()


def test_the_token():
    with running(TOKEN) as channel:
        right = [("authorization", f"Bearer {TOKEN}")]
        echo = channel.unary_unary("/s/echo")
        assert echo(b"x", timeout=60, metadata=right) == b"x"
        check = health_pb2_grpc.HealthStub(channel).Check
        assert check(health_pb2.HealthCheckRequest(), timeout=60).status == 1
