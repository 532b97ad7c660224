"""Paths as people write them: with `~`, and of this machine only."""

import os
import pathlib
import re

_SCHEME = r"[A-Za-z][\w+.-]+:/"


def local(path: str | os.PathLike) -> pathlib.Path:
    """A path with the home directory in the place of a leading `~` or `~name`.

    Variables such as `$HOME` are left as they are: they are the shell's to replace.

    Args:
        path: str or path.

    Returns: `pathlib.Path`.

    Raises:
        ValueError: if it is empty, an address such as gs://bucket/run, or there is no
            such home directory.
    """
    text = os.fspath(path)
    if not text:
        raise ValueError("The name of a file or folder must not be empty.")
    slashes = "/" if isinstance(path, str) else ""  # pathlib makes one of two
    if re.match(_SCHEME + slashes, text):
        raise ValueError(
            f"{text!r} is an address elsewhere. Files are read and written on this "
            "machine only: copy it here, or write here and copy that there."
        )
    try:
        return pathlib.Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(
            f"{text!r} cannot be found: {str(error).rstrip('.').lower()}."
        ) from error
