"""Parses options after the path or name of a source: `PATH:image=NAME,label=NAME`."""

from keras_sagan.files import paths


def parse(kind, text, known, usage):
    """Splits a path or name from the options after it.

    Args:
        kind: str. Name of the source, for messages.
        text: str. Path or name, perhaps with options.
        known: tuple of str. The allowed options.
        usage: str. Sentence on how to write them, which begins the error message.

    Returns:
        Tuple `(path, options)` of a str and a dict from str to str, empty without
        options. If the whole text is the name of an existing file, it has no options.

    Raises:
        ValueError: if an option is not allowed.
    """
    path, _, pairs = text.rpartition(":")
    if not path or "=" not in pairs or paths.local(text).exists():
        return text, {}
    given = [pair.partition("=") for pair in pairs.split(",")]
    options = {key: value for key, _, value in given if value}
    if len(options) < len(given) or not set(options) <= set(known):
        raise ValueError(f"`name`: {usage} Received: '{kind}:{text}'.")
    return path, options
