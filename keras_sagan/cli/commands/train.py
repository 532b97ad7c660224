"""`keras-sagan train`: trains a SAGAN and writes a run directory."""

import argparse
import contextlib
import json
import os
import sys

from keras_sagan import progress
from keras_sagan.cli import settings
from keras_sagan.cli.errors import EXIT_USAGE, UserError, user_errors
from keras_sagan.cli.parsing import MOST_SECONDS, local_path, number
from keras_sagan.cli.startup import start_tensorflow

EXIT_FAILED, EXIT_DIVERGED = 1, 3
EXIT_WORKER_LOST = 75  # "temporary failure": start all workers again

_MOST_CLASSES = 20  # that are named before training

_DESCRIPTION = """
Trains a SAGAN and writes a run directory: config.json (every setting), samples/
(grids of fixed latents, one row a class), logs/ (TensorBoard), metrics.jsonl and, at
the end, model/. The number of classes and channels are the data's.

A run goes on where it ended: give the same command and -o DIR again. Ctrl-C, SIGTERM,
SIGHUP and SIGUSR1 end it after the step that is being made, with a checkpoint (Ctrl-C
writes the model too); a second Ctrl-C or SIGTERM ends it at once. Exit status: 0
finished, 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP, 138 after SIGUSR1, 75
when another worker is gone, 3 when a loss or a weight is not finite, 2 after a mistake
in what was asked for.
"""

_EXAMPLES = (
    "--minutes 10",
    "--preset sagan_64 --dataset folder:cats -o runs/cats",
    "--dataset tfds:mnist --steps 5000 --set model.base_filters=8",
    "--config runs/cats/config.json --seed 1 -o runs/cats-1",
)


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "train",
        help="train a SAGAN",
        usage="keras-sagan train [--preset NAME] [--config FILE] [--dataset NAME] "
        "[-o DIR] [OPTION ...]",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    settings.add_base(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=local_path,
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
    _add_workers(parser)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the resolved configuration and write no run; a data set that is "
        "not there yet is prepared",
    )
    settings.add_flags(parser)
    parser.set_defaults(run=run)


def _add_workers(parser):
    group = parser.add_argument_group("several devices or machines")
    group.add_argument(
        "--strategy",
        default="auto",
        metavar="NAME",
        help="none, mirrored (all GPUs of this machine), multi_worker or auto "
        "(default); the batch size is that of all replicas together",
    )
    group.add_argument(
        "--workers",
        metavar="HOST:PORT,...",
        help="of all workers, the chief first (default: TF_CONFIG)",
    )
    group.add_argument(
        "--index",
        type=int,
        metavar="N",
        help="this worker's place in --workers, from 0",
    )
    group.add_argument(
        "--worker-timeout",
        type=number(above=0, most=MOST_SECONDS),
        default=300.0,
        metavar="SECONDS",
        help="how long to wait for the other workers to start (default: 300)",
    )


def run(options):
    """Trains, or prints the configuration where `--dry-run` asks for it."""
    with user_errors():
        config, given = settings.resolve(options)
        start_tensorflow()
    from keras_sagan.runs import signals

    try:
        with signals.raised(), _assembled(options) as together:
            return _train(options, config, given, together)
    except signals.Stopped as stopped:
        print(f"keras-sagan: {stopped}", file=sys.stderr)
        return 128 + stopped.number


@contextlib.contextmanager
def _assembled(options):
    """Scope of the `Team` that the flags describe."""
    from keras_sagan.distributed import team
    from keras_sagan.runs.signals import Stopped

    with contextlib.ExitStack() as stack:
        with user_errors():
            together = stack.enter_context(
                team.assemble(
                    options.strategy,
                    options.workers,
                    options.index,
                    options.worker_timeout,
                    _leave,
                    mistakes=(UserError, ValueError, Stopped),
                )
            )
        yield together


def _leave(message):
    """Ends the process at once: TensorFlow's own end may wait for the lost worker."""
    print(
        f"keras-sagan: error: {message.rstrip('.')}. Start all workers again with the "
        "same command: training goes on at the last checkpoint.",
        file=sys.stderr,
    )
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_WORKER_LOST)


def settings_to_agree_on(config):
    """What the workers' configurations must have in common: dict."""
    content = config.to_dict()
    del content["data"]["cache_dir"], content["data"]["data_memory"]
    return content


def data_to_agree_on(source):
    """What the workers' data must have in common: dict."""
    from keras_sagan.runs import facts

    names = source.class_names
    return {
        "examples": source.num_examples,
        "classes": None if names is None else list(names),
        "content": facts.content(source),
    }


def _train(options, config, given, together):
    """Trains with the other workers, if there are any; returns the exit status."""
    from keras_sagan.runs import beginning, building, run_directory
    from keras_sagan.runs import run as training_run

    with user_errors():
        together.agree("configuration", settings_to_agree_on(config))
        config, source = beginning.prepare(config, given=given)
        together.agree("data", data_to_agree_on(source))
        with together.strategy.scope():
            if options.dry_run:
                building.build(config)  # what the networks do not allow shows here
            else:
                output = None  # of a worker that is not the chief
                if together.is_chief:
                    output = options.output or run_directory.next_run_directory(config)
                training = training_run.Run(
                    config, output, source, options.resume, options.resume_from
                )
    if options.dry_run:
        print(json.dumps(config.to_dict(), indent=2))
        return 0
    if together.is_chief:
        _say_what_happens(config, training.source, output, together)
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
    if names := source.class_names:
        more = f", ... ({len(names)} in all)" if len(names) > _MOST_CLASSES else ""
        shown = ", ".join(names[:_MOST_CLASSES])
        print(f"Classes, by their labels from 0: {shown}{more}", file=sys.stderr)
