"""HTTP for the REST interface of the development server (aiohttp)."""

import asyncio
import concurrent.futures
import json
import logging
import socket
import threading

from aiohttp import web

from keras_sagan.serving.errors import HTTP_STATUS, Code, ServingError

logger = logging.getLogger(__name__)


class RestServer:
    """Listens in a thread of its own and answers from a pool of them.

    Args:
        interface: `RestInterface`.
        admission: `Admission`.
        host: str.
        port: int; 0 for a free one.
        limits: `Limits`.

    Raises:
        OSError: if the address cannot be had.

    Attributes:
        port: int. Where it listens.
    """

    def __init__(self, interface, admission, host, port, limits):
        self._interface = interface
        self._admission = admission
        self._limits = limits
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=256)
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
        """Closes the listening socket and, when they are answered, the connections."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._threads.shutdown()

    async def _serve(self, started):
        application = web.Application(client_max_size=self._limits.max_request_bytes)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
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
        except web.HTTPRequestEntityTooLarge:
            status = 413
            body = _error(
                f"A request has at most {self._limits.max_request_bytes} bytes."
            )
        except Exception:
            logger.exception("A request could not be answered.")
            status, body = 500, _error("Internal error: see the server's log.")
        return web.Response(
            body=body, status=status, content_type="application/json", headers=headers
        )

    async def _answer(self, request):
        path = request.rel_url.raw_path
        if request.method == "GET":
            return _to_bytes(self._interface.get(path))
        if request.method != "POST":
            message = f"Only GET and POST are served. Received: {request.method}"
            raise ServingError(Code.UNIMPLEMENTED, message)
        with self._admission.admitted():
            body = await self._read(request)
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, lambda: _to_bytes(self._interface.post(path, body))
            )

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
