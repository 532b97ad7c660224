"""`keras-sagan data check`: what a data set holds, before it is trained on."""

import json

from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.startup import start_tensorflow

EXIT_PROBLEMS = 1


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser("data", help="look at a data set")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check",
        help="count classes and sizes, find unusable files",
        description="Reads a whole data set and prints its classes, sizes and "
        "values, and what would go wrong in training. Exit status 1 if there is any.",
    )
    check.add_argument(
        "source", metavar="NAME", help="glyphs, tfds:NAME or folder:PATH"
    )
    check.add_argument("--image-size", type=int, default=32, metavar="PIXELS")
    check.add_argument("--split", default="train", metavar="NAME")
    check.add_argument("--channels", type=int, metavar="N", help="1, 3 or 4")
    check.add_argument(
        "--cache-dir", metavar="DIR", help="where prepared data are kept"
    )
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=run)


def run(options):
    """Prints the report; returns 1 where it found problems."""
    with user_errors():
        start_tensorflow()
        from keras_sagan.data import check

        report = check(
            options.source,
            image_size=options.image_size,
            split=options.split,
            channels=options.channels,
            cache_dir=options.cache_dir,
        )
    if options.json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        print(report.format())
    return EXIT_PROBLEMS if report.problems else 0
