"""`keras-sagan train` on several devices or machines: flags, and who takes part."""

import contextlib
import os
import platform
import sys
import threading

from keras_sagan.cli.errors import UserError, user_errors

EXIT_WORKER_LOST = 75  # "temporary failure": start all workers again

_GRACE_SECONDS = 15.0  # for TensorFlow to notice by itself what stops its step
_ABORTED = "Collective ops is aborted by:"  # begins TensorFlow's reason
_ADVICE = (
    "Start all workers again with the same command: training goes on at the last "
    "checkpoint."
)


def add_arguments(parser):
    """Adds the flags to the parser of a command."""
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
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="how long to wait for the other workers to start (default: 300)",
    )


class Team:
    """The strategy of a command, and the workers that take part in it.

    Args:
        strategy: `tf.distribute.Strategy`.
        workers: `keras_sagan.distributed.workers.Workers`, or None for one process.
    """

    def __init__(self, strategy, workers):
        self.strategy = strategy
        self.workers = workers

    @property
    def is_chief(self):
        """bool. Whether this process writes files and says what happens."""
        return self.workers is None or self.workers.cluster.is_chief

    def agree(self, subject, value):
        """Checks that all workers have the same; see `Workers.agree`."""
        if self.workers is not None:
            self.workers.agree(subject, value)

    def fail(self, reason):
        """Tells the other workers that this one ends: they would wait for it."""
        if self.workers is not None:
            self.workers.close(reason)


@contextlib.contextmanager
def assemble(options):
    """Scope in which the workers of a command are together.

    Every worker ends it with the others: after an error of one, the others leave with
    a message that names it.

    Args:
        options: parsed arguments of `add_arguments`.

    Yields: `Team`.

    Raises:
        UserError: if the workers cannot work together.
    """
    from keras_sagan.distributed import cluster, rendezvous, strategies

    workers = None
    with user_errors():
        found = cluster.find(options.workers, options.index)
        strategies.check_strategy(options.strategy, found)
        if found is not None:
            workers = rendezvous.connect(found, _versions(), options.worker_timeout)
    with contextlib.nullcontext() if workers is None else _together(workers):
        yield Team(strategies.create_strategy(options.strategy, found), workers)


def settings_to_agree_on(config):
    """What the workers' configurations must have in common: dict."""
    content = config.to_dict()
    del content["data"]["cache_dir"]
    return content


def data_to_agree_on(source):
    """What the workers' data must have in common: dict."""
    from keras_sagan.runs import facts as run_facts

    names = source.class_names
    return {
        "examples": source.num_examples,
        "classes": None if names is None else list(names),
        "content": run_facts.content(source),
    }


@contextlib.contextmanager
def _together(workers):
    from keras_sagan.distributed.workers import WorkerLost

    try:
        with workers.watched(_end_after_a_while):
            yield
        if not workers.closed:  # by `Team.fail`
            workers.agree("end", True)
            workers.close()
    except WorkerLost as error:
        _leave(str(error))
    except BaseException as error:
        if not isinstance(error, (UserError, ValueError)):
            with contextlib.suppress(BaseException):
                _check_lost(workers, error)
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        workers.close(f"{kind}{error}".splitlines()[0])
        raise


def _check_lost(workers, error):
    """Leaves if an error of TensorFlow only says that another worker is gone."""
    from keras_sagan.distributed.workers import WorkerLost

    try:
        workers.raise_if_lost(wait=_GRACE_SECONDS / 3)
    except WorkerLost as lost:
        _leave(str(lost))
    _, cut, reason = str(error).partition(_ABORTED)
    if cut:  # TensorFlow gives a silent network up before `workers` does
        _leave(f"Another worker cannot be reached: {reason.strip().splitlines()[0]}")


def _end_after_a_while(message):
    """Ends this process unless it does so itself: it waits for a lost worker."""

    def end():
        threading.Event().wait(_GRACE_SECONDS)
        _leave(message)

    threading.Thread(target=end, daemon=True).start()


def _leave(message):
    """Ends the process at once: TensorFlow's own end may wait for the lost worker."""
    message = message.rstrip(".")
    print(f"keras-sagan: error: {message}. {_ADVICE}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_WORKER_LOST)


def _versions():
    from keras_sagan import versions

    return {"python": platform.python_version(), **versions.metadata()}
