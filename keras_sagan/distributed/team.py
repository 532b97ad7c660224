"""Keeps the workers of a program together, from before TensorFlow starts to the end.

`assemble` is the one function that a program needs: it connects the workers, creates
the strategy, and makes sure that no worker is left waiting for one that has failed.
"""

import contextlib
import threading

from keras_sagan import versions
from keras_sagan.distributed import cluster, rendezvous, strategies
from keras_sagan.distributed.workers import WorkerLost

_GRACE_SECONDS = 15.0  # in which TensorFlow may end a step by itself
_ABORTED = "Collective ops is aborted by:"  # precedes the reason in its message


class Team:
    """The strategy of a program, and the workers that take part in it.

    Args:
        strategy: `tf.distribute.Strategy`.
        workers: `keras_sagan.distributed.workers.Workers`, or None for one process.
    """

    def __init__(self, strategy, workers):
        self.strategy = strategy
        self.workers = workers

    @property
    def is_chief(self):
        """bool. Whether this process writes files and reports what happens."""
        return self.workers is None or self.workers.cluster.is_chief

    def agree(self, subject, value):
        """Checks that all workers have the same value; see `Workers.agree`."""
        if self.workers is not None:
            self.workers.agree(subject, value)

    def fail(self, reason):
        """Tells the other workers that this one ends, so that they do not wait."""
        if self.workers is not None:
            self.workers.close(reason)


@contextlib.contextmanager
def assemble(strategy, workers, index, timeout, leave, mistakes=(ValueError,)):
    """Connects the workers of a program for the duration of a scope.

    All workers leave the scope together. If one of them fails, the others end with a
    message that names it.

    Args:
        strategy: str. Name, as for `strategies.create_strategy`.
        workers: str, or None. Addresses of all workers, as for `cluster.find`.
        index: int, or None. Position of this worker among them.
        timeout: float. Seconds to wait for the others to start.
        leave: function that is called with a message and must end the process at
            once. An orderly exit is not an option, because TensorFlow may wait for
            the lost worker.
        mistakes: tuple of exception types that a lost worker cannot cause, and whose
            message needs no name of a type in front of it.

    Yields: `Team`.

    Raises:
        ValueError: if there is no such strategy or cluster.
        WorkersError: if the workers cannot work together.
    """
    members, connections = cluster.find(workers, index), None
    strategies.check_strategy(strategy, members)
    with contextlib.ExitStack() as stack:
        if members is not None:
            versions_here = versions.environment()
            connections = rendezvous.connect(members, versions_here, timeout)
            stack.enter_context(_together(connections, leave, mistakes))
        yield Team(strategies.create_strategy(strategy, members), connections)


@contextlib.contextmanager
def _together(workers, leave, mistakes):
    try:
        with workers.watched(lambda message: _end_after_a_while(leave, message)):
            yield
        if not workers.closed:  # by `Team.fail`
            # Waits for the others: nobody may leave while another worker needs it.
            workers.agree("end", True)
            workers.close()
    except WorkerLost as error:
        leave(str(error))
    except BaseException as error:
        is_mistake = isinstance(error, mistakes)
        if not is_mistake:
            with contextlib.suppress(BaseException):
                _check_lost(workers, error, leave)
        kind = "" if is_mistake else f"{type(error).__name__}: "
        workers.close(f"{kind}{error}".splitlines()[0])
        raise


def _check_lost(workers, error, leave):
    """Leaves if an error was only caused by the loss of another worker."""
    try:
        workers.raise_if_lost(wait=_GRACE_SECONDS / 3)
    except WorkerLost as lost:
        leave(str(lost))
    _, cut, reason = str(error).partition(_ABORTED)
    if cut:  # TensorFlow may give up on a silent network before `workers` does
        leave(f"Another worker cannot be reached: {reason.strip().splitlines()[0]}")


def _end_after_a_while(leave, message):
    """Ends this process after a while, unless it ends by itself before.

    Its main thread may be inside TensorFlow, waiting for the lost worker.
    """

    def end():
        threading.Event().wait(_GRACE_SECONDS)
        leave(message)

    threading.Thread(target=end, daemon=True).start()
