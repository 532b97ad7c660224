"""Decides whose requests a server answers; all servers of the package use this rule.

Even a server that only this machine can reach is exposed to every page that a browser
on this machine displays. Such a page can send a cross-site request, which says where it
comes from (`Origin`, `Sec-Fetch-Site`), or make a domain name of its own point to this
machine (DNS rebinding), which shows in `Host`. A plain IP address in `Host` belongs to
no site and is accepted, so that programs, probes and port forwarding keep working.
"""

import dataclasses
import hmac
import ipaddress
import re
import socket
import urllib.parse

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1
_SHORTEST_TOKEN = 16
_SCHEME = "Bearer "


@dataclasses.dataclass(frozen=True)
class Refusal:
    """The reason why a request is not answered: an HTTP status and a sentence."""

    status: int
    message: str


class Access:
    """Decides from the headers of a request whether it is answered.

    Args:
        host: str. Address that the server listens on.
        allowed_hosts: sequence of str. Further names by which the server is reached,
            e.g. that of a proxy in front of it, without scheme and port.
        token: str of at least 16 characters that every request must carry, or `None`.
            With a token, hosts and origins are not checked: a page that does not know
            it cannot send it.

    Raises:
        ValueError: if an argument does not have the required form.
    """

    def __init__(self, host, allowed_hosts=(), token=None):
        if token is not None:
            check_token(token)
            if len(token) < _SHORTEST_TOKEN:
                raise ValueError(
                    f"`token` must have at least {_SHORTEST_TOKEN} characters. "
                    f"Received: {len(token)}."
                )
        self._token = token
        self._allowed = {_checked_name(name) for name in allowed_hosts}
        own = [host] if is_loopback(host) else [host, socket.gethostname()]
        self._names = self._allowed.union(name.lower() for name in own if name)

    def token_fits(self, authorization):
        """Returns whether the header `Authorization` (str or `None`) has the token."""
        if self._token is None:
            return True
        expected = f"{_SCHEME}{self._token}"
        given = (authorization or "").encode("utf-8", "surrogateescape")
        # In constant time: how long a comparison takes must not reveal the token.
        return hmac.compare_digest(given, expected.encode())

    def refusal(self, headers):
        """Returns the `Refusal` of an HTTP request, or `None` if it is answered.

        Args:
            headers: mapping whose `get` ignores the case of names.
        """
        if self._token is not None:
            if self.token_fits(headers.get("Authorization")):
                return None
            return Refusal(401, TOKEN_MISSING)
        host = headers.get("Host")  # missing in HTTP/1.0; browsers always send it
        if host is not None and not self._is_known(_name(host)):
            return Refusal(
                403,
                f"This server does not go by the name of {host[:200]!r}. If it should: "
                "--allowed-host NAME.",
            )
        if self._is_from_another_site(headers, host):
            return Refusal(
                403,
                "Pages of other sites are not answered. If the page is yours: "
                "--allowed-host NAME with the name of its site.",
            )
        return None

    def _is_known(self, name):
        return (
            name in self._names
            or name == "localhost"
            or name.endswith(".localhost")
            or _is_address(name)
        )

    def _is_from_another_site(self, headers, host):
        origin = headers.get("Origin")
        if origin is not None:
            netloc = origin.partition("://")[2].lower()
            own = host is not None and netloc == host.lower()
            return not own and _name(netloc) not in self._allowed
        if headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
            return False
        # Following a link from another site is harmless: the browser shows the page,
        # but the other site cannot read it.
        return (headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")) != (
            "navigate",
            "document",
        )


TOKEN_MISSING = (
    "This server wants a token: the header `Authorization: Bearer TOKEN` (Client: "
    "`token`, keras-sagan: --token-file) is missing or wrong."
)


def check_token(token):
    """Returns `token` if an HTTP header can carry it.

    Raises:
        ValueError: if it has characters other than letters, digits, `-._~+/`, and `=`
            at its end. The message does not reveal the token.
    """
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ValueError(
            "`token` must consist of letters, digits and -._~+/ (and = at its end), "
            "e.g. what `openssl rand -hex 32` prints."
        )
    return token


def bearer(token):
    """Returns the value of the header `Authorization` for `token`."""
    return f"{_SCHEME}{token}"


def is_loopback(host):
    """Returns whether only this machine can reach a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _checked_name(name):
    if _is_address(name):
        return name.lower()
    if not name or _name(name) != name.lower().rstrip("."):
        raise ValueError(
            "`allowed_hosts` must be names without scheme and port, e.g. "
            f"models.example.com. Received: {name!r}."
        )
    return _name(name)


def _name(netloc):
    """Returns the name or address in `name:port` in lower case, or `""` if invalid."""
    try:
        name = urllib.parse.urlsplit(f"//{netloc}").hostname
    except ValueError:
        return ""
    return (name or "").rstrip(".")


def _is_address(name):
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
