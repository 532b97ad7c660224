"""The entry point of `keras-sagan`: its parser and its exit status."""

import sys

import keras_sagan
from keras_sagan.cli.commands import (
    attention,
    data,
    evaluate,
    explore,
    export,
    import_,
    presets,
    report,
    sample,
    serve,
    train,
)
from keras_sagan.cli.errors import EXIT_USAGE, UserError
from keras_sagan.cli.parsing import Parser
from keras_sagan.files import streams

_COMMANDS = (
    train,
    sample,
    attention,
    report,
    explore,
    evaluate,
    export,
    serve,
    data,
    import_,
    presets,
)

EXIT_INCOMPLETE, EXIT_INTERRUPTED = 1, 130


def main(arguments=None):
    """Runs a command.

    Args:
        arguments: list of str, or `None` for those of the process.

    Returns:
        int. The exit status: 0 after success, or what the command returns (e.g. 1 if
        `data check` has found problems); 2 after a mistake in the request; 130 after
        Ctrl-C; 1 if standard output could not be written, unless its reader has just
        gone away. The status of `train` never depends on standard output.
    """
    with streams.lasting() as output:
        options = build_parser().parse_args(arguments)
        status = _status(options)
        output.flush()
        if output.error is None:
            return status
        print(f"keras-sagan: standard output: {output.error}", file=sys.stderr)
        trains = options.run is train.run and not options.dry_run
        return status if trains else status or EXIT_INCOMPLETE


def _status(options):
    """Runs a command and returns its exit status."""
    try:
        return options.run(options) or 0
    except UserError as error:
        if options.traceback:
            raise
        print(f"keras-sagan: error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("keras-sagan: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def build_parser():
    """Returns the parser of all commands."""
    parser = Parser(
        prog="keras-sagan",
        description="Train, sample and export self-attention GANs (SAGAN).",
        examples=(
            "train --minutes 10 -o runs/glyphs",
            "sample runs/glyphs -o glyphs.png",
            "export runs/glyphs -o saved_models/glyphs",
        ),
    )
    parser.add_argument(
        "--version", action="version", version=f"keras-sagan {keras_sagan.__version__}"
    )
    parser.add_argument(
        "--traceback",
        action="store_true",
        help="show where in the program an error was found",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
