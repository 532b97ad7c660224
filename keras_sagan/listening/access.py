"""Whose requests a server answers: one rule for all servers of the package.

A server that only this machine can reach is still reached by every page that a browser
on this machine shows. Such a page may send a request across sites, which says where it
comes from (`Origin`, `Sec-Fetch-Site`), or let a name of its own lead to this machine
(DNS rebinding), which shows in `Host`. An address in `Host` is nobody's name, so that
programs, probes and port forwarding are not held up.
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
    """Why a request is not answered: an HTTP status and a sentence."""

    status: int
    message: str


class Access:
    """Decides by its headers whether a request is answered.

    Args:
        host: str. Address that the server listens on.
        allowed_hosts: sequence of str. Further names by which it is reached, e.g.
            that of a proxy in front of it, without scheme and port.
        token: str, at least 16 characters. What every request must bring; `None` for
            no such condition. A page that does not know it cannot send it, so that
            hosts and origins are not looked at then.

    Raises:
        ValueError: if an argument is not of that form.
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
        """Whether the header `Authorization` (str or `None`) brings the token."""
        if self._token is None:
            return True
        expected = f"{_SCHEME}{self._token}"
        given = (authorization or "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, expected.encode())

    def refusal(self, headers):
        """Returns the `Refusal` of an HTTP request, `None` if it is answered.

        Args:
            headers: mapping whose `get` does not distinguish upper and lower case.
        """
        if self._token is not None:
            if self.token_fits(headers.get("Authorization")):
                return None
            return Refusal(401, TOKEN_MISSING)
        host = headers.get("Host")  # HTTP/1.0 has none; browsers send one
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
        # A link that was followed shows its page, which is no business of the other
        # site's.
        return (headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")) != (
            "navigate",
            "document",
        )


TOKEN_MISSING = (
    "This server wants a token: the header `Authorization: Bearer TOKEN` (Client: "
    "`token`, keras-sagan: --token-file) is missing or wrong."
)


def check_token(token):
    """Returns `token` if a header can carry it, and keeps it out of the message.

    Raises:
        ValueError: if it has other characters than letters, digits and `-._~+/`, and
            `=` at its end.
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
    """Whether only this machine reaches what listens on `host`."""
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
    """The name or address in `name:port`, in lower case; empty if there is none."""
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
