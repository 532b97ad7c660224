"""Files that a command writes: checked before any work is done."""

import argparse
import os
import pathlib

from keras_sagan.cli.errors import UserError


def add_output(parser, suffixes, default=None):
    """Adds `-o FILE` and `--force`.

    Args:
        parser: `argparse.ArgumentParser`.
        suffixes: tuple of str: the endings that the file may have.
        default: str, or `None` if the file has to be named.
    """

    def checked(text):
        if not text.lower().endswith(suffixes):
            raise argparse.ArgumentTypeError(
                f"must end in {' or '.join(suffixes)}. Received: {text}"
            )
        return text

    known = f" (default: {default})" if default else ""
    parser.add_argument(
        "-o",
        "--output",
        required=default is None,
        default=default,
        type=checked,
        metavar=f"FILE{'|'.join(suffixes)}",
        help=f"to write{known}",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace the file if it is there"
    )


def check_output(options):
    """Raises `UserError` if the file exists, unless `--force` was given.

    Returns: its path.
    """
    path = pathlib.Path(options.output)
    if path.is_dir():
        raise UserError(f"{str(path)!r} is a directory; -o takes a file.")
    if path.exists() and not options.force:
        raise UserError(
            f"{str(path)!r} exists already: give another -o, or --force to replace "
            "it. Nothing was changed."
        )
    check_writable(path)
    return path


def check_writable(path):
    """Raises `UserError` if a file cannot be written: before the work that it holds.

    Folders that are missing are no obstacle: they are made when the file is written.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        raise UserError(f"{str(path)!r} is a directory; a file is to be written.")
    there = next(x for x in path.absolute().parents if x.exists() or x.is_symlink())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise UserError(
            f"{str(path)!r} cannot be written: {str(there)!r} is no folder that can "
            "be written to."
        )
