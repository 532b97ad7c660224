"""Downloads files of published weights and verifies them by their SHA-256."""

import hashlib
import urllib.request

from keras_sagan import progress
from keras_sagan.files import paths, writing

_BLOCK = 1 << 20  # bytes that are read at once
_TIMEOUT = 30  # seconds without any data


def download(what, url, sha256, largest, cache_dir=None, instead=""):
    """Returns the path of a file of weights in the cache, and downloads it if needed.

    The file is complete and verified, or not there at all.

    Args:
        what: str. Name of the network in messages.
        url: str.
        sha256: str. SHA-256 that the file must have.
        largest: int. Largest number of bytes to read.
        cache_dir: path, or `None` for "~/.cache/keras_sagan" (or in $XDG_CACHE_HOME, if
            that is set).
        instead: str. End of the error message, which may suggest an alternative.

    Raises:
        RuntimeError: if it cannot be downloaded, or if it has another SHA-256.
    """
    folder = paths.local(cache_dir) if cache_dir else paths.own_cache()
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
            f"Download the file elsewhere and pass its path (`path`, --weights PATH)"
            f"{instead}"
        ) from error
    return target


def sha256_of(path):
    """Returns the SHA-256 of a file in hexadecimal digits.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(response, what, largest):
    """Reads a response, up to about `largest` bytes, and shows the progress."""
    content = bytearray()
    size = int(response.headers.get("Content-Length") or 0) / 1e6 or None
    with progress.Counter(size, what, "MB") as counter:
        while len(content) < largest and (block := response.read(_BLOCK)):
            content += block
            counter.add(len(block) / 1e6)
    return content
