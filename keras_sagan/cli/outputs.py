"""Checks the files that a command is going to write, before it does any work.

All commands follow the same rule: an existing file is replaced only with `--force`.
"""

import argparse
import os
import pathlib

from keras_sagan.cli.errors import UserError
from keras_sagan.cli.parsing import local_path


def add_output(parser, suffixes, default=None):
    """Adds `-o FILE` and `--force` to a parser.

    Args:
        parser: `argparse.ArgumentParser`.
        suffixes: tuple of str. The suffixes that the file may have.
        default: str, or `None` if the option is required.
    """

    def checked(text):
        if not text.lower().endswith(suffixes):
            raise argparse.ArgumentTypeError(
                f"must end in {' or '.join(suffixes)}. Received: {text}"
            )
        return local_path(text)

    default_text = f" (default: {default})" if default else ""
    parser.add_argument(
        "-o",
        "--output",
        required=default is None,
        default=default,
        type=checked,
        metavar=f"FILE{'|'.join(suffixes)}",
        help=f"file to write{default_text}",
    )
    add_force(parser)


def add_force(parser):
    """Adds `--force` to the parser of a command that writes files."""
    parser.add_argument("--force", action="store_true", help="replace existing files")


def check_output(options):
    """Raises a `UserError` if the file of `-o` must not be written; see `check_file`.

    Returns: path of the file.
    """
    return check_file(options.output, options.force)


def check_file(name, force):
    """Raises a `UserError` if a file exists and must not be replaced.

    Args:
        name: str or path of the file to be written.
        force: bool. Whether it may be replaced. `None` means no, for a command without
            `--force`.

    Returns: path of the file.
    """
    path = check_writable(name)
    if path.exists() and not force:
        way_out = "" if force is None else ", or --force to replace it"
        raise UserError(
            f"{str(path)!r} exists already: give another name{way_out}. Nothing was "
            "changed."
        )
    return path


def check_folder(name):
    """Raises a `UserError` if a folder cannot be created, or if it is not empty.

    Returns: path of the folder.
    """
    path = pathlib.Path(name)
    if path.is_dir() and not any(path.iterdir()):
        return path
    if path.exists():
        raise UserError(
            f"{str(path)!r} exists already: give the name of a new or an empty folder. "
            "Nothing was changed."
        )
    _check_place(path)
    return path


def check_writable(name):
    """Raises a `UserError` if a file cannot be written.

    Missing parent folders are not a problem; they are created with the file.

    Returns: path of the file.
    """
    path = pathlib.Path(name)
    if path.is_dir():
        raise UserError(f"{str(path)!r} is a directory, but must be a file.")
    _check_place(path)
    return path


def _check_place(path):
    parent = next(x for x in path.absolute().parents if x.exists() or x.is_symlink())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise UserError(
            f"{str(path)!r} cannot be written: {str(parent)!r} is not a folder that "
            "can be written to."
        )
