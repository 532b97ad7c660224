"""Files of published weights: downloaded once, verified, and known by their SHA-256."""

import hashlib
import os
import urllib.request

from keras_sagan import progress
from keras_sagan.files import paths, writing

_BLOCK = 1 << 20  # bytes that are read at once
_TIMEOUT = 30  # seconds without any data


def download(what, url, sha256, largest, cache_dir=None, instead=""):
    """The path of a file of weights in the cache, downloaded if need be.

    The file appears complete and verified, or not at all.

    Args:
        what: str. Whose weights they are.
        url: str.
        sha256: str. What the file must have.
        largest: int. Bytes; no more are read.
        cache_dir: path, or `None` for "~/.cache/keras_sagan" (below $XDG_CACHE_HOME
            if that is set).
        instead: str. What the error suggests.

    Raises:
        RuntimeError: if it cannot be downloaded, or has another SHA-256.
    """
    folder = paths.local(cache_dir) if cache_dir else _default_cache()
    target = folder / url.rpartition("/")[2]
    if target.is_file():
        return target
    try:
        writing.make_folder(folder)
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
            content = _read(response, what, largest)
        received = hashlib.sha256(content).hexdigest()
        if received != sha256:
            raise OSError(f"it has SHA-256 {received}, not {sha256}")
        writing.replace_file(target, content)
    except OSError as error:  # also `urllib.error.URLError`
        raise RuntimeError(
            f"The weights of {what} could not be downloaded from {url}: {error}. "
            f"Download that file elsewhere and pass its path (`path`, --weights PATH)"
            f"{instead}"
        ) from error
    return target


def sha256_of(path):
    """The SHA-256 of a file, in hexadecimal digits.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(response, what, largest):
    """At most so many bytes of a response."""
    content = bytearray()
    size = int(response.headers.get("Content-Length") or 0) / 1e6 or None
    with progress.Counter(size, what, "MB") as counter:
        while len(content) < largest and (block := response.read(_BLOCK)):
            content += block
            counter.add(len(block) / 1e6)
    return content


def _default_cache():
    return paths.local(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "keras_sagan"
