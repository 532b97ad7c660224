"""`keras-sagan presets`: lists the recipes that come with the package."""

import json

from keras_sagan.cli.errors import user_errors
from keras_sagan.config.presets import PRESETS, get_preset


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "presets",
        help="list the presets, or print one as JSON",
        description="Lists the recipes that come with the package, or prints one.",
        examples=("sagan_64",),
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="preset to print")
    parser.set_defaults(run=run)


def run(options):
    """Prints the list, or a preset with its source and all of its values."""
    if options.name is None:
        width = max(map(len, PRESETS))
        for preset in PRESETS.values():
            print(f"{preset.name:{width}}  {preset.description}")
        return
    with user_errors():
        preset = get_preset(options.name)
    print(json.dumps(preset.to_dict(), indent=2))
