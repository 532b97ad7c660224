"""Checks the token of the development server in gRPC calls."""

import grpc

from keras_sagan.listening.access import TOKEN_MISSING

_HEALTH = "/grpc.health.v1.Health/"


class TokenInterceptor(grpc.ServerInterceptor):
    """Refuses calls without the token (`UNAUTHENTICATED`), except for health checks.

    Hosts and origins are not checked, because browsers cannot speak gRPC.

    Args:
        access: `Access`.
    """

    def __init__(self, access):
        self._access = access

    def intercept_service(self, continuation, handler_call_details):
        """Returns the handler of a call, or one that refuses it."""
        metadata = dict(handler_call_details.invocation_metadata)
        health = handler_call_details.method.startswith(_HEALTH)
        if health or self._access.token_fits(metadata.get("authorization")):
            return continuation(handler_call_details)
        return grpc.unary_unary_rpc_method_handler(_refuse)


def _refuse(request, context):
    del request
    context.abort(grpc.StatusCode.UNAUTHENTICATED, TOKEN_MISSING)
