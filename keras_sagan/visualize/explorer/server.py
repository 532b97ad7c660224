"""Serves the explorer, a local page that asks a model for images and attention.

Like the development server, it uses aiohttp. The page is part of the package and loads
nothing from elsewhere; its content security policy forbids the browser to do so.
"""

import asyncio
import concurrent.futures
import dataclasses
import functools
import importlib.resources
import logging
import math
import threading
from collections.abc import Callable

from aiohttp import web

from keras_sagan.listening.access import Access
from keras_sagan.visualize import attention, embedded_pictures, interpolation, positions

logger = logging.getLogger(__name__)

_FILES = {
    "/": ("explorer.html", "text/html"),
    "/ask.js": ("ask.js", "text/javascript"),
    "/explorer.js": ("explorer.js", "text/javascript"),
    "/explorer.css": ("explorer.css", "text/css"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src "
    "'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LARGEST_SEED = 2**53  # up to which all integers are exact in a browser
_KEPT = 16  # number of views in the cache


@dataclasses.dataclass(frozen=True)
class Explored:
    """What the explorer needs to know of a model.

    Args:
        name: str.
        image_size: int. Height and width of the images in pixels.
        classes: list of str, or `None` if the model is unconditional.
        layers: list of str. Names of the attention layers.
        latents: function from seeds and a truncation (or `None`) to latent vectors.
        view: function from latent vectors `(n, latent_dim)` and class indices `(n,)`
            (or `None`) to `(images, maps)`: uint8 array `(n, size, size, channels)`,
            and a dict from the name of a layer to an array `(n, queries, keys)`.
    """

    name: str
    image_size: int
    classes: list | None
    layers: list
    latents: Callable
    view: Callable


class ExplorerServer:
    """Serves the explorer in a thread of its own.

    Args:
        model: `Explored`.
        listening: socket, as returned by `keras_sagan.listening.ports.listen`.
        access: `Access`, or `None` for the default of the address of the socket.

    Attributes:
        port: int. Port on which it listens.
    """

    def __init__(self, model, listening, access=None):
        self._model = model
        self._socket = listening
        host, self.port, *_ = listening.getsockname()
        self._access = access or Access(host)
        self._worker = concurrent.futures.ThreadPoolExecutor(1, "explorer")
        self._view = functools.lru_cache(maxsize=_KEPT)(self._make_view)
        started = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)), name="explorer-loop"
        )
        self._thread.start()
        self._loop, self._stopping = started.result()

    def stop(self):
        """Closes the socket and ends the thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._worker.shutdown()

    async def _serve(self, started):
        application = web.Application(client_max_size=2**16)
        application.router.add_get("/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.SockSite(runner, self._socket).start()
        stopping = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), stopping))
        await stopping.wait()
        await runner.cleanup()

    async def _handle(self, request):
        refusal = self._access.refusal(request.headers)
        if refusal:
            return _json({"error": refusal.message}, refusal.status)
        if request.path in _FILES:
            name, kind = _FILES[request.path]
            text = importlib.resources.files(__package__).joinpath(name).read_text()
            return web.Response(text=text, content_type=kind, headers=_HEADERS)
        answer = {
            "/api/model": self._describe,
            "/api/view": self._show,
            "/api/attention": self._attend,
        }.get(request.path)
        if answer is None:
            return _json({"error": f"There is no {request.path}."}, 404)
        loop = asyncio.get_running_loop()
        try:
            query = dict(request.query)
            return _json(await loop.run_in_executor(self._worker, answer, query))
        except ValueError as error:
            return _json({"error": str(error)}, 400)
        except Exception:
            logger.exception("A request could not be answered.")
            return _json({"error": "Internal error: see the terminal."}, 500)

    # === Answers ===
    def _describe(self, query):
        model = self._model
        return {
            "name": model.name,
            "image_size": model.image_size,
            "classes": model.classes,
            "layers": model.layers,
        }

    def _show(self, query):
        shown = self._view(*self._choice(query))
        return {"image": embedded_pictures.png_url(shown.image)}

    def _attend(self, query):
        shown = self._view(*self._choice(query))
        point = _integer(query, "x"), _integer(query, "y")
        if not shown.maps:
            raise ValueError("The model has no attention layers.")
        return {"layers": [_layer(shown, name, point) for name in shown.maps]}

    def _choice(self, query):
        """Checks and returns seed, second seed, share, class and truncation."""
        share = _number(query, "share", 0.0)
        if not 0 <= share <= 1:
            raise ValueError(f"`share` must be in [0, 1]. Received: {share}.")
        classes, label = self._model.classes, None
        if classes is not None:
            label = _integer(query, "label")
            if not 0 <= label < len(classes):
                raise ValueError(
                    f"`label` must be in [0, {len(classes)}). Received: {label}."
                )
        truncation = _number(query, "truncation", 0.0)
        if truncation < 0:
            raise ValueError(
                f"`truncation` must be above 0, or 0 for none. Received: {truncation}."
            )
        seeds = _integer(query, "seed"), _integer(query, "other_seed", 0)
        return *seeds, share, label, truncation

    def _make_view(self, seed, other_seed, share, label, truncation):
        first, last = self._model.latents([seed, other_seed], truncation or None)
        latents = interpolation.spherical(first, last, [share])
        labels = None if label is None else [label]
        images, maps = self._model.view(latents, labels)
        return attention.View(images[0], {name: x[0] for name, x in maps.items()})


def _layer(shown, name, point):
    """Describes where the query of a pixel attends in a layer, with a picture: dict."""
    weights = shown.weights(name, point)
    queries, keys = map(positions.grid_side, shown.maps[name].shape)
    spread = positions.spread_over_pixels(weights, shown.size)
    row, column = divmod(int(weights.argmax()), keys)
    block = shown.size // keys
    return {
        "name": name,
        "query": positions.query_index(*point, shown.size, queries),
        "queries": queries,
        "keys": keys,
        "overlay": embedded_pictures.png_url(
            attention.overlay(shown.image, spread, attention.color(0))
        ),
        "most": round(float(weights.max()), 6),
        "at": [column * block + block // 2, row * block + block // 2],
    }


def _integer(query, name, default=None):
    text = query.get(name, default)
    try:
        value = int(text)
    except (TypeError, ValueError):
        raise ValueError(f"`{name}` must be an integer. Received: {text!r}.") from None
    if abs(value) > _LARGEST_SEED:
        raise ValueError(f"`{name}` must be at most 2^53. Received: {value}.")
    return value


def _number(query, name, default):
    text = query.get(name, default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"`{name}` must be a finite number. Received: {text!r}.")
    return value


def _json(content, status=200):
    return web.json_response(content, status=status, headers=_HEADERS)
