"""Files that a command writes: checked before any work is done.

One rule for all commands: a file that is there is replaced only with `--force`.
"""

import argparse
import os
import pathlib

from keras_sagan.cli.errors import UserError
from keras_sagan.cli.parsing import local_path


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
        return local_path(text)

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
    add_force(parser)


def add_force(parser):
    """Adds `--force`, which every command that writes files has."""
    parser.add_argument(
        "--force", action="store_true", help="replace files that are there"
    )


def check_output(options):
    """Raises `UserError` if `-o` may not be written; see `check_file`.

    Returns: its path.
    """
    return check_file(options.output, options.force)


def check_file(name, force):
    """Raises `UserError` if a file is there, unless it may be replaced.

    Args:
        name: str or path of the file that will be written.
        force: bool, or `None` where the command has no `--force`. Whether it may be
            replaced.

    Returns: its path.
    """
    path = check_writable(name)
    if path.exists() and not force:
        way_out = "" if force is None else ", or --force to replace it"
        raise UserError(
            f"{str(path)!r} exists already: give another name{way_out}. Nothing was "
            "changed."
        )
    return path


def check_writable(name):
    """Raises `UserError` if a file cannot be written: before the work that it holds.

    Folders that are missing are no obstacle: they are made when the file is written.

    Returns: its path.
    """
    path = pathlib.Path(name)
    if path.is_dir():
        raise UserError(f"{str(path)!r} is a directory; a file is to be written.")
    there = next(x for x in path.absolute().parents if x.exists() or x.is_symlink())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise UserError(
            f"{str(path)!r} cannot be written: {str(there)!r} is no folder that can "
            "be written to."
        )
    return path
