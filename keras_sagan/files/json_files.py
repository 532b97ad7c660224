"""Reads untrusted JSON: an object of bounded size, or one such object per line."""

import json

from keras_sagan.files import paths

LARGEST = 1 << 20  # bytes

_DEEPEST = 100  # objects and lists within each other; recursive functions need a limit


def read(path, largest=LARGEST):
    """Reads a JSON file that holds an object.

    Args:
        path: str or path.
        largest: int, or `None` for no limit. Largest accepted size in bytes.

    Returns: dict.

    Raises:
        ValueError: if the file is not a JSON object, or is too large.
        OSError: if it cannot be read.
    """
    path = path if hasattr(path, "open") else paths.local(path)
    with path.open("rb") as file:
        content = file.read(None if largest is None else largest + 1)
    if largest is not None and len(content) > largest:
        raise ValueError(f"{str(path)!r} must have at most {largest} bytes.")
    return parse(content, repr(str(path)))


def read_lines(path, longest=LARGEST):
    """Reads a file that holds one JSON object per line.

    Lines that are too long or not an object are skipped: a process that is killed
    while it writes can leave a truncated one.

    Args:
        path: str or path.
        longest: int. Largest accepted length of a line in bytes.

    Yields: dict.

    Raises:
        OSError: if the file cannot be read.
    """
    with paths.local(path).open("rb") as file:
        while line := file.readline(longest + 1):
            if len(line) > longest:  # skip the rest of it, a piece at a time
                while line and not line.endswith(b"\n"):
                    line = file.readline(longest)
                continue
            try:
                yield parse(line, "a line")
            except ValueError:
                continue


def parse(content, name):
    """Parses JSON text that holds an object.

    Args:
        content: bytes or str.
        name: str. How error messages refer to the text.

    Returns: dict.

    Raises:
        ValueError: if the text is not a JSON object, or nested too deeply.
    """
    try:
        text = content.decode() if isinstance(content, bytes) else content
        value = json.loads(text)
    except (ValueError, RecursionError) as error:  # the latter if nested too deeply
        raise ValueError(f"{name} is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ValueError(f"{name} must hold a JSON object.")
    _check_depth(value, name)
    return value


def _check_depth(value, name):
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise ValueError(f"{name} must not be nested more than {_DEEPEST} deep.")
