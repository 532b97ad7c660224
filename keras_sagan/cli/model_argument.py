"""The argument MODEL of the commands, and descriptions of what it may be."""

from keras_sagan.cli.parsing import local_path

TRAINED = (
    "a run (if it is unfinished, its newest checkpoint), the directory of a model "
    "(RUN/model), or a .keras file"
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
        "model", type=local_path, metavar=metavar, help=may_be, **arguments
    )
