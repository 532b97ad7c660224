"""The HTTP server of the development server's REST interface (aiohttp)."""

import asyncio
import concurrent.futures
import json
import logging
import threading

from aiohttp import web

from keras_sagan.listening.ports import listen
from keras_sagan.serving.errors import HTTP_STATUS, Code, ServingError, code_of_http
from keras_sagan.serving.server.content_encoding import decoded

logger = logging.getLogger(__name__)

HEALTH = "/healthz"


class RestServer:
    """Listens in a thread of its own, and answers requests from a pool of threads.

    Args:
        interface: `RestInterface`.
        admission: `Admission`.
        access: `Access`.
        host: str. Address to listen on.
        port: int. 0 for any free port.
        limits: `Limits`.

    Raises:
        OSError: if the address is not available.

    Attributes:
        port: int. The port on which it listens.
    """

    def __init__(self, interface, admission, access, host, port, limits):
        self._interface = interface
        self._admission = admission
        self._access = access
        self._limits = limits
        self._socket = listen(host, port, "rest_port")
        self.port = self._socket.getsockname()[1]
        self._threads = concurrent.futures.ThreadPoolExecutor(
            limits.max_concurrent, "rest"
        )
        started = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)), name="rest-loop"
        )
        self._thread.start()
        self._loop, self._stopping = started.result()

    def stop(self):
        """Closes the listening socket, and every connection once it is answered."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._threads.shutdown()

    async def _serve(self, started):
        application = web.Application(client_max_size=self._limits.max_request_bytes)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=1.0,
            auto_decompress=False,  # `decoded` limits the size and reports bad bytes
        )
        await runner.setup()
        await web.SockSite(runner, self._socket, backlog=256).start()
        stopping = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), stopping))
        await stopping.wait()
        await runner.cleanup()

    async def _handle(self, request):
        headers = {}
        try:
            status, body = 200, await self._answer(request)
        except ServingError as error:
            status, body = HTTP_STATUS[error.code], _error(error.message)
            if error.retry_after:
                headers["Retry-After"] = f"{error.retry_after:.0f}"
            if status == 401:
                headers["WWW-Authenticate"] = "Bearer"
        except web.HTTPRequestEntityTooLarge:
            status = 413
            body = _error(
                f"A request has at most {self._limits.max_request_bytes} bytes."
            )
        except Exception:  # a bug, whose details are not for clients
            logger.exception("A request could not be answered.")
            status, body = 500, _error("Internal error: see the server's log.")
        return web.Response(
            body=body, status=status, content_type="application/json", headers=headers
        )

    async def _answer(self, request):
        path = request.rel_url.raw_path
        if path == HEALTH and request.method in ("GET", "HEAD"):
            return _to_bytes(self._interface.health())  # probes have no token
        refusal = self._access.refusal(request.headers)
        if refusal:
            raise ServingError(code_of_http(refusal.status), refusal.message)
        if request.method == "GET":
            return _to_bytes(self._interface.get(path))
        if request.method != "POST":
            self._interface.refuse(request.method, path)
        with self._admission.admitted():
            body = await self._read(request)
            encoding = request.headers.get("Content-Encoding", "")
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._post, path, body, encoding
            )

    def _post(self, path, body, encoding):
        limit = self._limits.max_request_bytes
        body = decoded(body, encoding, limit + 1)
        if len(body) > limit:
            raise web.HTTPRequestEntityTooLarge(limit, len(body))
        return _to_bytes(self._interface.post(path, body))

    async def _read(self, request):
        if (request.content_length or 0) > self._limits.max_request_bytes:
            raise web.HTTPRequestEntityTooLarge(
                self._limits.max_request_bytes, request.content_length
            )
        try:
            async with asyncio.timeout(self._limits.timeout):
                return await request.read()
        except TimeoutError as error:
            message = "The request did not arrive in time."
            raise ServingError(Code.DEADLINE_EXCEEDED, message) from error


def _to_bytes(answer):
    return json.dumps(answer).encode()


def _error(message):
    return _to_bytes({"error": message})
