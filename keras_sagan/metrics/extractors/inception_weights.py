"""Loads the published weights of the FID network, and downloads them if needed."""

from keras_sagan.files import paths, torch_files
from keras_sagan.metrics.extractors import inception, weights_files

# The file of pytorch-fid. That of torch-fidelity has the same content.
URL = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth"
)
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"

_LARGEST = 1 << 27  # bytes; the file has 95,628,359


def load(path=None, cache_dir=None):
    """Loads the FID network with its weights.

    Args:
        path: path of the file of weights, or `None` for the copy in `cache_dir`, which
            is downloaded if there is none.
        cache_dir: path, or `None` for "~/.cache/keras_sagan" (or in $XDG_CACHE_HOME, if
            that is set).

    Returns: tuple `(model, sha256)` of the Keras model and the SHA-256 of the file. It
        is the FID network only if `sha256 == SHA256`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is something else.
        RuntimeError: if it cannot be downloaded.
    """
    path = download(cache_dir) if path is None else paths.local(path)
    sha256 = weights_files.sha256_of(path)
    model = inception.build()
    inception.set_weights(model, torch_files.read(path))
    return model, sha256


def download(cache_dir=None, url=URL, sha256=SHA256):
    """Returns the path of the file in the cache; see `weights_files.download`."""
    instead = (
        ", or use another extractor (--extractor classifier), whose scores are not FID."
    )
    return weights_files.download(
        "the FID network", url, sha256, _LARGEST, cache_dir, instead
    )
