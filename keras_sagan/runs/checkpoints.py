"""Checkpoints of a `SAGAN`: all of its state, saved while training goes on.

The state is every variable: both networks, the averaged generator, batch statistics,
`u` and `v`, both optimizers with their step counts, and the running means of the
metrics. Random numbers and the position in the data are functions of (seed, step), so
nothing else is needed to continue as if training had never stopped.
"""

import threading
import time
import warnings

import numpy as np

from keras_sagan.callbacks import divergence
from keras_sagan.callbacks.step import StepCallback
from keras_sagan.distributed import strategies
from keras_sagan.files import paths
from keras_sagan.runs import checkpoint_files
from keras_sagan.runs.checkpoint_files import Checkpoint, CheckpointError


def snapshot(gan):
    """Copies of all variables of a compiled `SAGAN`, by name, as NumPy arrays."""
    return {
        # A copy: TensorFlow may go on writing into what `numpy` returns.
        name: np.array(variable.value.numpy())
        for name, variable in _variables(gan).items()
    }


def restore(gan, arrays):
    """Gives a compiled `SAGAN` the state of a snapshot; all of it or none.

    Raises:
        CheckpointError: naming the first variable that does not fit.
    """
    variables = _variables(gan)
    arrays = _with_step(arrays, variables, gan)
    for name in [*variables, *arrays]:
        expected, found = variables.get(name), arrays.get(name)
        if expected is None or found is None:
            which = "has no" if found is None else "has an unknown"
            raise CheckpointError(f"The checkpoint {which} variable {name!r}.")
        dtype = str(expected.dtype)
        if found.shape != tuple(expected.shape) or found.dtype.name != dtype:
            raise CheckpointError(
                f"Variable {name!r} must be {dtype} of shape {tuple(expected.shape)}. "
                f"The checkpoint has {found.dtype.name} of shape {found.shape}."
            )
    for name, variable in variables.items():
        strategies.assign(variable, arrays[name], gan.distribute_strategy)


class Checkpoints(StepCallback):
    """Saves checkpoints at the ends of epochs, in a thread of its own.

    Place it last: what other callbacks do at the end of an epoch comes first. A
    checkpoint that cannot be written is a warning, and training goes on.

    Args:
        directory: path of the directory of all checkpoints.
        every: int. Steps between two checkpoints.
        keep: int. How many of the newest stay.
        details: callable that returns a dict of JSON values to keep with the state.
    """

    def __init__(self, directory, every, keep, details=dict):
        super().__init__()
        self.directory = directory
        self.every = every
        self.keep = keep
        self.details = details
        self.seconds = 0.0  # that training has waited for checkpoints
        self._last = None  # step of the newest
        self._metrics = None
        self._thread = None
        self._error = None  # (problem, exception) of the last writing

    def resume(self, gan, step=None):
        """Restores the newest whole checkpoint, or the one of a step.

        Args:
            gan: compiled `SAGAN`.
            step: int, or None for the newest.

        Returns: `Checkpoint`, or None if there is none.

        Raises:
            CheckpointError: if it is damaged, or of another model.
        """
        if step is None:
            checkpoint = checkpoint_files.read_newest(self.directory)
        else:
            checkpoint = checkpoint_files.read(self.directory, step)
        if checkpoint is not None:
            restore(gan, checkpoint.arrays)
            self._last = checkpoint.step
        return checkpoint

    def keep_metrics(self, gan):
        """Goes on with the metrics of an epoch that a checkpoint interrupted."""
        self._metrics = [(v, np.array(v)) for m in gan.metrics for v in m.variables]

    def prepare(self):
        """Makes the directory."""
        paths.local(self.directory).mkdir(parents=True, exist_ok=True)

    def on_train_begin(self, logs=None):
        self.prepare()
        if self._last is None:
            self._last = self.step

    def on_epoch_begin(self, epoch, logs=None):
        for variable, value in self._metrics or ():  # `fit` has just reset them
            variable.assign(value)
        self._metrics = None

    def on_epoch_end(self, epoch, logs=None):
        due = self.step // self.every > self._last // self.every
        if due or (self.model.stop_training and self.step > self._last):
            self.save()

    def on_train_end(self, logs=None):
        self.finish()

    def save(self):
        """Takes a snapshot and starts writing it.

        Raises:
            DivergenceError: if it holds a value that is not finite; it is not saved.
        """
        begin = time.monotonic()
        self.finish()
        arrays = snapshot(self.model)
        divergence.check_arrays(arrays, self.step)
        checkpoint = Checkpoint(self.step, arrays, self.details())
        self._last = self.step
        self._thread = threading.Thread(target=self._write, args=(checkpoint,))
        self._thread.start()
        self.seconds += time.monotonic() - begin

    def finish(self):
        """Waits until the last checkpoint is on the disk; warns if it is not."""
        if self._thread is None:
            return
        begin = time.monotonic()
        self._thread.join()
        self._thread = None
        self.seconds += time.monotonic() - begin
        if self._error is not None:
            (problem, error), self._error = self._error, None
            known = checkpoint_files.steps(self.directory)
            newest = (
                f"The newest checkpoint is that of step {known[-1]}."
                if known
                else "There is no other checkpoint."
            )
            warnings.warn(
                f"The checkpoint of step {self._last} {problem}: {error}. "
                f"Training goes on. {newest}",
                RuntimeWarning,
                stacklevel=2,
            )

    def _write(self, checkpoint):
        try:
            checkpoint_files.write(self.directory, checkpoint)
        except Exception as error:  # a thread has nobody else to tell
            self._error = ("could not be written", error)
            return
        try:
            checkpoint_files.remove_old(self.directory, self.keep)
        except OSError as error:
            self._error = ("is written, but older ones could not be removed", error)


def _with_step(arrays, variables, gan):
    """The arrays with the step, which 0.1.0 knew as the updates of G's optimizer."""
    names = {id(variable): name for name, variable in variables.items()}
    step = names[id(gan.step_counter.count)]
    updates = names.get(id(gan.g_optimizer.iterations))
    if step in arrays or updates not in arrays:
        return arrays
    return {**arrays, step: arrays[updates]}


def _variables(gan):
    """All variables by a name that is the same in every process."""
    groups = {
        "model": gan.variables,
        "metrics": [v for metric in gan.metrics for v in metric.variables],
        "g_optimizer": gan.g_optimizer.variables,
        "d_optimizer": gan.d_optimizer.variables,
    }
    return {
        f"{group}/{index:04d}/{variable.name}": variable
        for group, variables in groups.items()
        for index, variable in enumerate(variables)
    }
