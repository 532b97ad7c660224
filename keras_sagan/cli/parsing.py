"""Parsing for all commands: help with examples, types of options, error messages."""

import argparse
import difflib
import math
import re
import shutil
import textwrap

from keras_sagan.config.section import Setting
from keras_sagan.files import paths

MOST_SECONDS = 10_000_000  # four months; much longer timeouts overflow in the system


class Parser(argparse.ArgumentParser):
    """A parser with examples in its help, which suggests a flag for a misspelt one.

    Args:
        description: str, or None. What the command does, with any line breaks.
        examples: sequence of str. Example arguments, which are shown after the name of
            the command.
        **kwargs: as for `argparse.ArgumentParser`.
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
        """Parses arguments; unknown ones are an error that names the nearest flag."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            flags = re.findall(r"(?<!\w)--[a-z][\w-]*", self.format_help())
            name = unknown[0].partition("=")[0]
            near = difflib.get_close_matches(name, flags, n=1)
            hint = f". Did you mean {near[0]}?" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return options, unknown


def wrap(text):
    """Wraps a text to the width of the terminal."""
    width = max(shutil.get_terminal_size().columns - 2, 20)
    return textwrap.fill(" ".join(text.split()), width)


def integer(least=None, most=None):
    """Returns a `type=` for argparse: a 64-bit int, with inclusive bounds."""
    return _converter(int, Setting("", least=least, most=most))


def number(least=None, most=None, above=None):
    """Returns a `type=` for argparse: a float, with bounds inclusive except `above`."""
    return _converter(float, Setting("", least=least, most=most, above=above))


def truncations(text):
    """Parses truncations separated by commas: list of float, with `None` for "none"."""
    try:
        values = [None if x.strip() == "none" else float(x) for x in text.split(",")]
    except ValueError:
        values = [0.0]  # which is not allowed
    if not all(x is None or 0 < x < math.inf for x in values):
        raise argparse.ArgumentTypeError(
            f"must be numbers above 0, or none, e.g. 0.5,1,none. Received: {text}"
        )
    return values


def local_path(text):
    """Checks a path on this machine and expands `~`, for argparse's `type=`."""
    try:
        return str(paths.local(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def png_file(text):
    """Checks the path of a PNG file, for argparse's `type=`."""
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"must end in .png. Received: {text}")
    return local_path(text)


def _converter(kind, setting):
    def convert(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not (setting.allows(value) and math.isfinite(value)):
            raise argparse.ArgumentTypeError(
                f"must be {setting.rule(kind, value)}. Received: {text}"
            )
        return value

    return convert
