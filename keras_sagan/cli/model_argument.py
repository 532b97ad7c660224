"""The argument MODEL of the commands, and what may be named there."""

import argparse

from keras_sagan.cli.parsing import local_path
from keras_sagan.hub import addresses

TRAINED = (
    "a run (of an unfinished one its newest checkpoint), the directory of a model "
    "(RUN/model), a .keras file, or a model on a hub (hf://USER/NAME, kaggle://...)"
)
EXPORTED = (
    "an exported model: saved_models/NAME, or a version of it, saved_models/NAME/1"
)
ANY = f"{TRAINED}; or {EXPORTED}"
RUN = "a run: the directory that train wrote"


def add_model(parser, may_be, metavar="MODEL", **arguments):
    """Adds the argument to a parser or to a group of its.

    Args:
        parser: of `argparse`.
        may_be: str. One of the descriptions above: what `runs.loading` opens.
        metavar: str.
        **arguments: others of `add_argument`.
    """
    parser.add_argument(
        "model", type=model_name, metavar=metavar, help=may_be, **arguments
    )


def model_name(text):
    """A `type=` of argparse: a path on this machine, or the address of a hub."""
    if not addresses.is_address(text):
        return local_path(text)
    try:
        return str(addresses.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
