"""The argument MODEL of the commands, and descriptions of what it may be."""

import argparse

from keras_sagan.cli.parsing import local_path
from keras_sagan.hub import addresses

TRAINED = (
    "a run (if it is unfinished, its newest checkpoint), the directory of a model "
    "(RUN/model), a .keras file, or a model on a hub (hf://USER/NAME, kaggle://...)"
)
EXPORTED = (
    "an exported model: saved_models/NAME, or a version of it, saved_models/NAME/1"
)
ANY = f"{TRAINED}; or {EXPORTED}"
RUN = "a run: the directory that train wrote"


def add_model(parser, may_be, metavar="MODEL", **arguments):
    """Adds the argument to a parser or to one of its groups.

    Args:
        parser: `argparse.ArgumentParser`, or a group.
        may_be: str. One of the descriptions above, which becomes the help.
        metavar: str. Name of the argument in the help.
        **arguments: further arguments of `add_argument`.
    """
    parser.add_argument(
        "model", type=model_name, metavar=metavar, help=may_be, **arguments
    )


def model_name(text):
    """Checks a path on this machine or an address of a hub, for argparse's `type=`."""
    if not addresses.is_address(text):
        return local_path(text)
    try:
        return str(addresses.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
