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

_MOST_CLASSES = 20  # whose names are printed before training

_DESCRIPTION = """
Trains a SAGAN and writes a run directory: config.json (every setting), samples/
(grids of fixed latent vectors, one row per class), logs/ (TensorBoard), metrics.jsonl
and, at the end, model/. The numbers of classes and channels are those of the data.

To resume a run, give the same command and -o DIR again. Ctrl-C, SIGTERM, SIGHUP and
SIGUSR1 end training after the current step, with a checkpoint (Ctrl-C also writes the
model); a second Ctrl-C or SIGTERM ends it at once. The exit status is 0 if training
has finished, 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP, 138 after SIGUSR1,
75 if another worker was lost, 3 if a loss or a weight is not finite, and 2 after a
mistake in the request.
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
        help="run directory: new, empty, or that of a run to resume (default: the next "
        "runs/NUMBER-DATA-PRESET)",
    )
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="require that there is a run in DIR to resume, or that there is none "
        "(default: resume it if there is one with the same settings)",
    )
    parser.add_argument(
        "--resume-from",
        type=int,
        metavar="STEP",
        help="resume from this checkpoint and set newer ones aside (default: the "
        "newest)",
    )
    _add_workers(parser)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the resolved configuration and write no run; a data set that does "
        "not exist yet is prepared",
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
        help="addresses of all workers, the chief first (default: those in TF_CONFIG)",
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
    """Trains, or prints the configuration with `--dry-run`."""
    with user_errors():
        config, given = settings.resolve(options)
        start_tensorflow()
    from keras_sagan.runs import signals

    try:
        with signals.raised(), _assembled(options) as workers:
            return _train(options, config, given, workers)
    except signals.Stopped as stopped:
        print(f"keras-sagan: {stopped}", file=sys.stderr)
        return 128 + stopped.number


@contextlib.contextmanager
def _assembled(options):
    """Yields the `Team` of workers that the flags describe."""
    from keras_sagan.distributed import team
    from keras_sagan.runs.signals import Stopped

    with contextlib.ExitStack() as stack:
        with user_errors():
            workers = stack.enter_context(
                team.assemble(
                    options.strategy,
                    options.workers,
                    options.index,
                    options.worker_timeout,
                    _leave,
                    mistakes=(UserError, ValueError, Stopped),
                )
            )
        yield workers


def _leave(message):
    """Ends the process at once, as an orderly end may wait for the lost worker."""
    print(
        f"keras-sagan: error: {message.rstrip('.')}. Start all workers again with the "
        "same command to resume from the last checkpoint.",
        file=sys.stderr,
    )
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_WORKER_LOST)


def settings_to_agree_on(config):
    """Returns a dict of the settings that must be the same on all workers."""
    content = config.to_dict()
    del content["data"]["cache_dir"], content["data"]["data_memory"]
    return content


def data_to_agree_on(source):
    """Returns a dict of the facts about data that must be the same on all workers.

    With several parts, a worker opens no files of other parts to compare images.
    """
    from keras_sagan.runs import facts

    names = source.class_names
    return {
        "examples": source.num_examples,
        "classes": None if names is None else list(names),
        "content": facts.content(source, with_images=source.parts == 1),
    }


def _train(options, config, given, workers):
    """Trains with the other workers, if there are any; returns the exit status."""
    from keras_sagan.runs import beginning, building, run_directory
    from keras_sagan.runs import run as training_run

    with user_errors():
        workers.agree("configuration", settings_to_agree_on(config))
        config, source = beginning.prepare(config, given=given)
        workers.agree("data", data_to_agree_on(source))
        with workers.strategy.scope():
            if options.dry_run:
                building.build(config)  # raises errors that only the networks can find
            else:
                output = None  # only the chief writes
                if workers.is_chief:
                    output = options.output or run_directory.next_run_directory(config)
                training = training_run.Run(
                    config, output, source, options.resume, options.resume_from
                )
    if options.dry_run:
        print(json.dumps(config.to_dict(), indent=2))
        return 0
    if workers.is_chief:
        _announce(config, training.source, output, workers)
        with user_errors(), progress.display():
            _ = training.evaluation  # prepared now, as its settings may be wrong
    return _fit(training, workers)


def _fit(training, workers):
    """Trains, prints the outcome, and returns the exit status."""
    from keras_sagan.callbacks.divergence import DivergenceError
    from keras_sagan.runs.checkpoint_files import CheckpointError

    try:
        result = training.fit()
    except DivergenceError as error:
        return _failed(EXIT_DIVERGED, str(error), workers)
    except CheckpointError as error:
        return _failed(EXIT_FAILED, f"the run cannot go on: {error}", workers)
    except BlockingIOError as error:
        return _failed(EXIT_USAGE, f"error: {error}", workers)
    except OSError as error:  # e.g. a full disk, or a directory that was removed
        problem = (
            f"training has stopped: {error}. The same command with the same -o "
            "continues from the newest checkpoint."
        )
        return _failed(EXIT_FAILED, problem, workers)
    end = "Interrupted" if result.signal else "Finished"
    print(f"{end} after {result.steps} steps, {result.seconds / 60:.1f} minutes.")
    if result.best:
        scores = dict(result.best)
        step, _ = scores.pop("step"), scores.pop("seconds")
        values = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        print(f"Best:    step {step}: {values}")
    if result.samples:
        print(f"Samples: {result.samples}")
    if result.model:
        print(f"Model:   {result.model}")
    if result.signal:
        print("The same command with the same -o continues from here.")
        return 128 + result.signal
    return 0


def _failed(status, problem, workers):
    workers.fail(problem)
    print(f"keras-sagan: {problem}", file=sys.stderr)
    return status


def _announce(config, source, output, workers):
    minutes = config.training.minutes
    limit = "" if minutes is None else f", at most {minutes:g} minutes"
    replicas = workers.strategy.num_replicas_in_sync
    share = f" of {replicas} replicas together" if replicas > 1 else ""
    print(
        f"Training on {source.num_examples} images of {config.data.dataset!r}: "
        f"{config.training.steps} steps{limit}, {config.training.batch_size} images in "
        f"a batch{share}. Everything is written to {output}",
        file=sys.stderr,
    )
    if names := source.class_names:
        more = f", ... ({len(names)} in all)" if len(names) > _MOST_CLASSES else ""
        first = ", ".join(names[:_MOST_CLASSES])
        print(f"Classes, by their labels from 0: {first}{more}", file=sys.stderr)
