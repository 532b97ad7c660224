"""Pages of models: a server for them, and what a page is asked."""

import base64
import contextlib
import functools
import http.server
import io
import threading

import numpy as np
from PIL import Image

CHOICE = {"seed": "0", "other_seed": "1", "share": "0", "truncation": 0, "label": "0"}
VIEW = """async (choices) => {
    const answers = [];
    for (const x of choices) answers.push((await ask("api/view", x)).image);
    return answers;
}"""


class Silent(http.server.SimpleHTTPRequestHandler):
    """The server that `python -m http.server` starts, without its log."""

    def log_message(self, *_):
        """Prints nothing."""


@contextlib.contextmanager
def serving(folder):
    """Scope in which a folder is served; the address of it."""
    handler = functools.partial(Silent, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def settled(page):
    page.wait_for_selector("#layers[aria-busy=false]", state="attached")


def pixels(url, channels=3):
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
        side = image.size[0]
        return np.asarray(image).reshape(side, side, channels)


def generated(page, labels, seeds, truncation=0, channels=3):
    """What a page generates from seeds: uint8 `(n, side, side, channels)`."""
    choices = [
        CHOICE | {"seed": str(seed), "label": str(label), "truncation": truncation}
        for label, seed in zip(labels, seeds, strict=True)
    ]
    return np.stack([pixels(url, channels) for url in page.evaluate(VIEW, choices)])
