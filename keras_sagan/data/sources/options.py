"""Names of what is read within a source: `PATH:image=NAME,label=NAME`."""

from keras_sagan.files import paths


def parse(kind, text, known, usage):
    """Splits a path or name from the options after it.

    Args:
        kind: str. The source's name, for messages.
        text: str. What it was given.
        known: tuple of str. The options that there are.
        usage: str. How they are written: the beginning of a message.

    Returns:
        `(path, options)`: str, and dict of str to str, empty without options. A file
        whose name looks like options is a file.

    Raises:
        ValueError: if an option is none of these.
    """
    path, _, pairs = text.rpartition(":")
    if not path or "=" not in pairs or paths.local(text).exists():
        return text, {}
    given = [pair.partition("=") for pair in pairs.split(",")]
    options = {key: value for key, _, value in given if value}
    if len(options) < len(given) or not set(options) <= set(known):
        raise ValueError(f"`name`: {usage} Received: '{kind}:{text}'.")
    return path, options
