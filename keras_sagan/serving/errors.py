"""The status codes of requests: those of gRPC, and how HTTP statuses map to them."""

import enum


class Code(enum.IntEnum):
    """The status codes of gRPC, which TensorFlow uses as well."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


# As in TensorFlow Serving, model_servers/http_server.cc, `ToHTTPStatusCode`.
HTTP_STATUS = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}

# What HTTP statuses mean to a client. Several codes share 400, 409 and 500, and proxies
# in front of a server answer with further statuses.
_FROM_HTTP = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    405: Code.UNIMPLEMENTED,
    409: Code.ABORTED,
    413: Code.RESOURCE_EXHAUSTED,
    422: Code.INVALID_ARGUMENT,
    429: Code.UNAVAILABLE,
    499: Code.CANCELLED,
    500: Code.INTERNAL,
    501: Code.UNIMPLEMENTED,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.DEADLINE_EXCEEDED,
}


class ServingError(RuntimeError):
    """Raised for a request that was refused or failed.

    Args:
        code: `Code`.
        message: str. What was wrong, for people to read.
        retry_after: float. Seconds to wait before trying again, as asked by the server.
    """

    def __init__(self, code: Code, message: str, retry_after: float = 0.0) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.retry_after = retry_after


def invalid(message: str) -> ServingError:
    """Returns the `ServingError` for a request that is invalid."""
    return ServingError(Code.INVALID_ARGUMENT, message)


def code_of_http(status: int) -> Code:
    """Returns the `Code` that an HTTP status stands for."""
    return _FROM_HTTP.get(status, Code.UNKNOWN)
