"""What the parsers of all commands share: examples, and messages about mistakes."""

import argparse
import difflib
import math
import re
import shutil
import textwrap

from keras_sagan.config.section import Setting
from keras_sagan.files import paths

MOST_SECONDS = 10_000_000  # four months; the system's clocks end somewhere


class Parser(argparse.ArgumentParser):
    """A parser with examples in its help; it suggests flags for those it lacks.

    Args:
        description: str, or None. What the command does; it is wrapped.
        examples: sequence of str. What may follow the command's name, to show it.
        **kwargs: as of `argparse.ArgumentParser`.
    """

    def __init__(self, description=None, examples=(), **kwargs):
        super().__init__(
            description=wrap(description or ""),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )
        if examples:
            lines = [f"  {self.prog} {example}" for example in examples]
            self.epilog = "\n".join(["examples:", *lines])
        self.register("type", int, integer())
        self.register("type", float, number())

    def parse_known_args(self, args=None, namespace=None):
        """As of argparse; what is unknown is an error, with the nearest flag."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            flags = re.findall(r"(?<!\w)--[a-z][\w-]*", self.format_help())
            name = unknown[0].partition("=")[0]
            near = difflib.get_close_matches(name, flags, n=1)
            hint = f". Did you mean {near[0]}?" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return options, unknown


def wrap(text):
    """The text in lines of the terminal's width."""
    width = max(shutil.get_terminal_size().columns - 2, 20)
    return textwrap.fill(" ".join(text.split()), width)


def integer(least=None, most=None):
    """A `type=` of argparse: int of 64 bits, both bounds allowed."""
    return _converter(int, Setting("", least=least, most=most))


def number(least=None, most=None, above=None):
    """A `type=` of argparse: float, all bounds but `above` allowed."""
    return _converter(float, Setting("", least=least, most=most, above=above))


def truncations(text):
    """Truncations joined by commas: list of float, or `None` for "none"."""
    try:
        values = [None if x.strip() == "none" else float(x) for x in text.split(",")]
    except ValueError:
        values = [0.0]
    if not all(x is None or 0 < x < math.inf for x in values):
        raise argparse.ArgumentTypeError(
            f"must be numbers above 0, or none, e.g. 0.5,1,none. Received: {text}"
        )
    return values


def local_path(text):
    """The path of a file or folder on this machine; `~` is the home directory."""
    try:
        return str(paths.local(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def png_file(text):
    """The path of a PNG file."""
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"must end in .png. Received: {text}")
    return local_path(text)


def _converter(kind, known):
    def convert(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not (known.allows(value) and math.isfinite(value)):
            raise argparse.ArgumentTypeError(
                f"must be {known.rule(kind, value)}. Received: {text}"
            )
        return value

    return convert
