"""`keras-sagan train`: trains a SAGAN and writes a run directory."""

import argparse
import json
import sys

from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.settings import FLAGS, parse_setting, parse_value
from keras_sagan.cli.startup import start_tensorflow
from keras_sagan.models.presets import get_preset

_DESCRIPTION = """
Trains a SAGAN and writes a run directory: config.json (every setting), samples/
(grids of fixed latents, one row a class), logs/ (TensorBoard), metrics.jsonl and, at
the end, model/. The number of classes and channels are the data's. Ctrl-C ends the
run early and keeps the model.
"""


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "train", help="train a SAGAN", description=_DESCRIPTION
    )
    parser.add_argument(
        "--preset",
        default="sagan_32_small",
        metavar="NAME",
        help="recipe to start from (default: %(default)s); see 'keras-sagan presets'",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help="run directory, new or empty (default: the next runs/NUMBER-DATA-PRESET)",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the resolved configuration and write nothing",
    )
    for title, flags in FLAGS.items():
        group = parser.add_argument_group(title)
        for flag in flags:
            group.add_argument(
                flag.name,
                dest=flag.setting,
                default=argparse.SUPPRESS,
                metavar=flag.metavar,
                type=str if flag.setting.startswith("data.") else parse_value,
                help=flag.help,
            )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.FIELD=VALUE",
        help="any other setting, e.g. --set model.base_filters=32; may be repeated",
    )
    parser.set_defaults(run=run)


def run(options):
    """Trains, or prints the configuration where `--dry-run` asks for it."""
    with user_errors():
        overrides = _overrides(options)
        config = get_preset(options.preset).run_config(overrides)
        start_tensorflow()
        from keras_sagan.training import run as training_run

        config, source = training_run.prepare(config, given=overrides)
        if options.dry_run:
            training_run.build(config)  # what the networks do not allow shows here
            print(json.dumps(config.to_dict(), indent=2))
            return
        output = options.output or training_run.next_run_directory(config)
        training = training_run.Run(config, output, source)
    minutes = config.training.minutes
    limit = "" if minutes is None else f", at most {minutes:g} minutes"
    print(
        f"Training on {source.num_examples} images of {config.data.dataset!r}: "
        f"{config.training.steps} steps{limit}. Everything is written to {output}",
        file=sys.stderr,
    )
    result = training.fit()
    end = "Interrupted" if result.interrupted else "Finished"
    print(f"{end} after {result.steps} steps, {result.seconds / 60:.1f} minutes.")
    print(f"Samples: {result.samples}")
    print(f"Model:   {result.model}")


def _overrides(options):
    """Settings of the flags that were given, then of `--set`, which wins."""
    names = [flag.setting for flags in FLAGS.values() for flag in flags]
    given = vars(options)
    overrides = {name: given[name] for name in names if name in given}
    overrides.update(parse_setting(text) for text in options.set)
    return overrides
