"""Turns the paths that people type into paths on this machine."""

import os
import pathlib
import re

_SCHEME = r"[A-Za-z][\w+.-]+:/"


def own_cache() -> pathlib.Path:
    """Returns the directory for files that can be downloaded or computed again.

    It is `~/.cache/keras_sagan`, or `$XDG_CACHE_HOME/keras_sagan` if that is set.

    Raises:
        ValueError: if there is no home directory.
    """
    return local(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "keras_sagan"


def local(path: str | os.PathLike) -> pathlib.Path:
    """Returns a path with a leading `~` or `~name` replaced by the home directory.

    Variables such as `$HOME` are left alone: expanding them is the shell's job.

    Args:
        path: str or path.

    Returns: `pathlib.Path`.

    Raises:
        ValueError: if the path is empty or an address such as gs://bucket/run, or if
            there is no such home directory.
    """
    text = os.fspath(path)
    if not text:
        raise ValueError("The name of a file or folder must not be empty.")
    slashes = "/" if isinstance(path, str) else ""  # pathlib collapses "//"
    if re.match(_SCHEME + slashes, text):
        raise ValueError(
            f"{text!r} is not a path on this machine. Only local files are read and "
            "written: copy it here first, or write a local file and copy that."
        )
    try:
        return pathlib.Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(
            f"{text!r} cannot be found: {str(error).rstrip('.').lower()}."
        ) from error
