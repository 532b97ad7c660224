"""What all training contenders are told on their command line."""

import argparse


def parse(description, **more):
    """Arguments of a contender.

    Args:
        description: str.
        **more: extra flags: name to keyword arguments of `add_argument`.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--base-filters", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--classes", type=int, default=10)
    for name, keywords in more.items():
        parser.add_argument(f"--{name.replace('_', '-')}", **keywords)
    return parser.parse_args()
