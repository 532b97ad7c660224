"""`keras-sagan train`: trains a SAGAN and writes a run directory."""

import argparse
import json
import sys

from keras_sagan import progress
from keras_sagan.cli import team
from keras_sagan.cli.errors import EXIT_USAGE, user_errors
from keras_sagan.cli.settings import FLAGS, parse_setting, parse_value
from keras_sagan.cli.startup import start_tensorflow
from keras_sagan.config.presets import get_preset

EXIT_FAILED, EXIT_DIVERGED = 1, 3

_DESCRIPTION = """
Trains a SAGAN and writes a run directory: config.json (every setting), samples/
(grids of fixed latents, one row a class), logs/ (TensorBoard), metrics.jsonl and, at
the end, model/. The number of classes and channels are the data's.

A run goes on where it ended: give the same command and -o DIR again. Ctrl-C and
SIGTERM end it after the step that is being made, with a checkpoint (Ctrl-C writes the
model too); the second one ends it at once. Exit status: 0 finished, 130 after Ctrl-C,
143 after SIGTERM, 75 when another worker is gone, 3 when a loss or a weight is not
finite, 2 after a mistake in what was asked for.
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
        help="run directory: new, empty, or that of a run which is to go on "
        "(default: the next runs/NUMBER-DATA-PRESET)",
    )
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="the run in DIR must go on, or must not be there (default: it goes on if "
        "it is there and the settings are the same)",
    )
    parser.add_argument(
        "--resume-from",
        type=int,
        metavar="STEP",
        help="go on at this checkpoint; newer ones are set aside (default: the newest)",
    )
    team.add_arguments(parser)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the resolved configuration and write no run; a data set that is "
        "not there yet is prepared",
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
    with team.assemble(options) as together:
        return _train(options, config, overrides, together)


def _train(options, config, overrides, together):
    """Trains with the other workers, if there are any; returns the exit status."""
    from keras_sagan.runs import building, follower, run_directory
    from keras_sagan.runs import run as training_run

    with user_errors():
        together.agree("configuration", team.settings_to_agree_on(config))
        config, source = building.prepare(config, given=overrides)
        together.agree("data", team.data_to_agree_on(source))
        with together.strategy.scope():
            if options.dry_run:
                building.build(config)  # what the networks do not allow shows here
            elif together.is_chief:
                output = options.output or run_directory.next_run_directory(config)
                training = training_run.Run(
                    config, output, source, options.resume, options.resume_from
                )
            else:
                training = follower.Follower(config, source)
    if options.dry_run:
        print(json.dumps(config.to_dict(), indent=2))
        return 0
    if together.is_chief:
        _say_what_happens(config, source, output, together)
        with user_errors(), progress.display():
            _ = training.evaluation  # made ready: settings of it may be wrong
    return _fit(training, together)


def _fit(training, together):
    """Trains, says what came of it, and returns the exit status."""
    from keras_sagan.callbacks.divergence import DivergenceError
    from keras_sagan.runs.checkpoint_files import CheckpointError

    try:
        result = training.fit()
    except DivergenceError as error:
        return _failed(EXIT_DIVERGED, str(error), together)
    except CheckpointError as error:
        return _failed(EXIT_FAILED, f"the run cannot go on: {error}", together)
    except BlockingIOError as error:
        return _failed(EXIT_USAGE, f"error: {error}", together)
    except OSError as error:  # a full disk, a directory that was removed
        problem = (
            f"training has stopped: {error}. The same command with the same -o goes "
            "on at the newest checkpoint."
        )
        return _failed(EXIT_FAILED, problem, together)
    end = "Interrupted" if result.signal else "Finished"
    print(f"{end} after {result.steps} steps, {result.seconds / 60:.1f} minutes.")
    if result.best:
        scores = dict(result.best)
        step, _ = scores.pop("step"), scores.pop("seconds")
        shown = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        print(f"Best:    step {step}: {shown}")
    if result.samples:
        print(f"Samples: {result.samples}")
    if result.model:
        print(f"Model:   {result.model}")
    if result.signal:
        print("The same command with the same -o goes on from here.")
        return 128 + result.signal
    return 0


def _failed(status, problem, together):
    together.fail(problem)
    print(f"keras-sagan: {problem}", file=sys.stderr)
    return status


def _say_what_happens(config, source, output, together):
    minutes = config.training.minutes
    limit = "" if minutes is None else f", at most {minutes:g} minutes"
    replicas = together.strategy.num_replicas_in_sync
    share = f" of {replicas} replicas together" if replicas > 1 else ""
    print(
        f"Training on {source.num_examples} images of {config.data.dataset!r}: "
        f"{config.training.steps} steps{limit}, {config.training.batch_size} images in "
        f"a batch{share}. Everything is written to {output}",
        file=sys.stderr,
    )


def _overrides(options):
    """Settings of the flags that were given, then of `--set`, which wins."""
    names = [flag.setting for flags in FLAGS.values() for flag in flags]
    given = vars(options)
    overrides = {name: given[name] for name in names if name in given}
    overrides.update(parse_setting(text) for text in options.set)
    return overrides
