"""Parses the address of a served model, a URL."""

import dataclasses
import re
import urllib.parse

_PORTS = {"grpc": 8500, "grpcs": 8500, "http": 8501, "https": 443}
_PATH = re.compile(
    r"/(?:(?P<protocol>v[12])/models/)?(?P<model>[^/:]+)"
    r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?/?"
)


@dataclasses.dataclass(frozen=True)
class Address:
    """Where a model is served.

    Args:
        scheme: `"grpc"`, `"grpcs"`, `"http"` or `"https"`.
        host: str.
        port: int.
        model: str. Name of the model on the server.
        version: int, or `None` for the newest version that the server offers.
        label: str. A version label, or `None`.
        protocol: `"v1"`, TensorFlow Serving's, or `"v2"`, the Open Inference Protocol.
    """

    scheme: str
    host: str
    port: int
    model: str
    version: int | None = None
    label: str | None = None
    protocol: str = "v1"

    @property
    def target(self):
        """str. Host and port, as written in URLs and by gRPC."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def rest_path(self):
        """str. Path of the model in the REST interface of its protocol."""
        path = f"/{self.protocol}/models/{urllib.parse.quote(self.model, safe='')}"
        if self.version is not None:
            return f"{path}/versions/{self.version}"
        if self.label is not None:
            return f"{path}/labels/{urllib.parse.quote(self.label, safe='')}"
        return path


def parse_address(url):
    """Parses `grpc://HOST[:PORT]/MODEL` or `http://HOST[:PORT]/v1/models/MODEL`.

    `/versions/N` or `/labels/NAME` may follow. The port defaults to 8500 for gRPC and
    8501 for `http`, as in TensorFlow Serving, and to 443 for `https`. A path that
    begins with `/v2/models/` selects the Open Inference Protocol over `http` or
    `https`, which has no labels. As its servers have no common port, `http` needs one.

    Returns: `Address`.

    Raises:
        ValueError: if `url` is not such an address.
    """
    problem = (
        "`url` must be like grpc://localhost:8500/MODEL or "
        "http://localhost:8501/v1/models/MODEL, with /versions/N or /labels/NAME "
        "after the model if wanted, or like http://localhost:8080/v2/models/MODEL, "
        f"with /versions/N if wanted. Received: {url!r}."
    )
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(problem) from None
    path = _PATH.fullmatch(parts.path)
    extras = parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in _PORTS or not parts.hostname or not path or extras:
        raise ValueError(problem)
    protocol = path["protocol"] or "v1"
    has_port = parts.scheme == "https" or (parts.scheme == "http" and port is not None)
    if protocol == "v2" and (path["label"] or not has_port):
        raise ValueError(problem)
    unquote = urllib.parse.unquote
    return Address(
        parts.scheme,
        parts.hostname,
        _PORTS[parts.scheme] if port is None else port,
        unquote(path["model"]),
        int(path["version"]) if path["version"] else None,
        unquote(path["label"]) if path["label"] else None,
        protocol,
    )
