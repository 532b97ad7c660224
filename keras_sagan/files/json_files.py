"""JSON of others: small, and an object; or an object a line."""

import json

from keras_sagan.files import paths

LARGEST = 1 << 20  # bytes


def read(path, largest=LARGEST):
    """The object in a JSON file.

    Args:
        path: str or path.
        largest: int, or `None` for any number. Bytes that it may have.

    Returns: dict.

    Raises:
        ValueError: if it is no JSON object, or larger than that.
        OSError: if it cannot be read.
    """
    path = path if hasattr(path, "open") else paths.local(path)
    with path.open("rb") as file:
        content = file.read(None if largest is None else largest + 1)
    if largest is not None and len(content) > largest:
        raise ValueError(f"{str(path)!r} must have at most {largest} bytes.")
    return parse(content, repr(str(path)))


def read_lines(path, longest=LARGEST):
    """The objects in a file with one a line.

    A line that is no object, or too long, is left out: a kill may cut one off.

    Args:
        path: str or path.
        longest: int. Bytes that a line may have.

    Yields: dict.

    Raises:
        OSError: if the file cannot be read.
    """
    with paths.local(path).open("rb") as file:
        while line := file.readline(longest + 1):
            if len(line) > longest:
                while line and not line.endswith(b"\n"):
                    line = file.readline(longest)
                continue
            try:
                yield parse(line, "a line")
            except ValueError:
                continue


def parse(content, name):
    """The object in JSON text.

    Args:
        content: bytes or str.
        name: str. What messages call it.

    Returns: dict.

    Raises:
        ValueError: if it is no JSON object.
    """
    try:
        text = content.decode() if isinstance(content, bytes) else content
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise ValueError(f"{name} must hold a JSON object.")
    return found
