"""The published weights of the FID network: where they are and which they are."""

import hashlib
import os
import urllib.request

from keras_sagan import progress
from keras_sagan.files import paths, torch_files, writing
from keras_sagan.metrics.extractors import inception

# The file of pytorch-fid; torch-fidelity's has the same content.
URL = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth"
)
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"

_BLOCK = 1 << 20  # bytes that are read at once
_TIMEOUT = 30  # seconds without any data
_LARGEST = 1 << 27  # bytes; the file has 95,628,359


def load(path=None, cache_dir=None):
    """The FID network with weights.

    Args:
        path: path of the weights file, or `None` to use the copy in `cache_dir`, and
            to download it first if there is none.
        cache_dir: path, or `None` for "~/.cache/keras_sagan" (below $XDG_CACHE_HOME
            if that is set).

    Returns: `(model, sha256)`: the Keras model and the file's SHA-256. Only with
        `sha256 == SHA256` is it the FID network.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is something else.
        RuntimeError: if it cannot be downloaded.
    """
    path = download(cache_dir) if path is None else paths.local(path)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    model = inception.build()
    inception.set_weights(model, torch_files.read(path))
    return model, sha256


def download(cache_dir=None, url=URL, sha256=SHA256):
    """The path of the weights file in the cache, downloaded if need be.

    The file appears complete and verified, or not at all.

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
            content = _read(response)
        received = hashlib.sha256(content).hexdigest()
        if received != sha256:
            raise OSError(f"it has SHA-256 {received}, not {sha256}")
        writing.replace_file(target, content)
    except OSError as error:  # also `urllib.error.URLError`
        raise RuntimeError(
            f"The weights of the FID network could not be downloaded from {url}: "
            f"{error}. Download that file elsewhere and pass its path (`path`, "
            "--inception PATH), or use another extractor (--extractor classifier), "
            "whose scores are not FID."
        ) from error
    return target


def _read(response):
    """At most `_LARGEST` bytes of a response."""
    content = bytearray()
    size = int(response.headers.get("Content-Length") or 0) / 1e6 or None
    with progress.Counter(size, "FID network", "MB") as counter:
        while len(content) < _LARGEST and (block := response.read(_BLOCK)):
            content += block
            counter.add(len(block) / 1e6)
    return bytes(content)


def _default_cache():
    return paths.local(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "keras_sagan"
