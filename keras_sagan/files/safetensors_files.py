"""Reads untrusted `.safetensors` files: arrays of numbers and nothing else."""

from keras_sagan.extras import MissingExtraError
from keras_sagan.files import paths


def read(path):
    """Reads the tensors of a file with the package `safetensors`.

    The package checks the header before it reads a tensor, and runs nothing.

    Args:
        path: str or path of a `.safetensors` file.

    Returns: dict from str to NumPy array.

    Raises:
        ImportError: if `safetensors` is not installed (extra `dinov2`).
        ValueError: if the file is not such a file, is incomplete, or holds numbers that
            NumPy does not have, such as bfloat16.
        OSError: if it cannot be read.
    """
    try:
        import safetensors.numpy
    except ImportError as error:
        what = f"Reading .safetensors files ({error})"
        raise MissingExtraError(what, "dinov2") from error
    path = paths.local(path)
    try:
        return safetensors.numpy.load_file(path)
    except OSError:
        raise
    except Exception as error:  # a SafetensorError, or a TypeError of bfloat16
        raise ValueError(
            f"{str(path)!r} cannot be read as a .safetensors file: it is another kind "
            "of file, is incomplete, or has numbers that NumPy does not have "
            f"({error})."
        ) from error
