"""Types of arguments: words as values, or a sentence about what is wrong with them."""

import argparse
import math


def positive_number(text):
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a number. Received: {text}"
        ) from None
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be above 0. Received: {text}")
    return value


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


def png_file(text):
    """The name of a PNG file."""
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"must end in .png. Received: {text}")
    return text
