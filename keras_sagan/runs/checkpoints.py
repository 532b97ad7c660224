"""Saves the complete state of a `SAGAN` during training, and restores it.

The state consists of all variables: both networks, the averaged generator, batch
statistics, `u` and `v`, both optimizers with their step counts, and the running means
of the metrics. Random numbers and the position in the data are functions of the seed
and the step, so that nothing else is needed to continue as if training had never
stopped.
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
    """Copies all variables of a compiled `SAGAN`: dict from name to NumPy array."""
    return {
        # A copy, because `numpy` may return memory that TensorFlow will overwrite.
        name: np.array(variable.value.numpy())
        for name, variable in _variables(gan).items()
    }


def restore(gan, arrays):
    """Sets all variables of a compiled `SAGAN` to those of a snapshot.

    Raises:
        CheckpointError: if a variable is missing, unknown, or of another shape or
            dtype. The message names it, and no variable has been changed.
    """
    variables = _variables(gan)
    arrays = _with_step(arrays, variables, gan)
    for name in [*variables, *arrays]:
        expected, array = variables.get(name), arrays.get(name)
        if expected is None or array is None:
            which = "has no" if array is None else "has an unknown"
            raise CheckpointError(f"The checkpoint {which} variable {name!r}.")
        dtype = str(expected.dtype)
        if array.shape != tuple(expected.shape) or array.dtype.name != dtype:
            raise CheckpointError(
                f"Variable {name!r} must be {dtype} of shape {tuple(expected.shape)}. "
                f"The checkpoint has {array.dtype.name} of shape {array.shape}."
            )
    for name, variable in variables.items():
        strategies.assign(variable, arrays[name], gan.distribute_strategy)


class Checkpoints(StepCallback):
    """Saves checkpoints at the ends of epochs, in a thread of its own.

    It must be the last callback, so that the others have done their work for the epoch.
    If a checkpoint cannot be written, there is a warning and training continues.

    Args:
        directory: path of the directory of all checkpoints.
        every: int. Number of steps between two checkpoints.
        keep: int. Number of checkpoints to keep, the newest ones.
        details: function that returns a dict of JSON values to store with the state.
    """

    def __init__(self, directory, every, keep, details=dict):
        super().__init__()
        self.directory = directory
        self.every = every
        self.keep = keep
        self.details = details
        self.seconds = 0.0  # that training has waited for checkpoints so far
        self._last = None  # step of the newest checkpoint
        self._metrics = None
        self._thread = None
        self._error = None  # (problem, exception) of the last attempt to write

    def resume(self, gan, step=None):
        """Restores the newest intact checkpoint, or that of a given step.

        Args:
            gan: compiled `SAGAN`.
            step: int, or None for the newest.

        Returns: `Checkpoint`, or None if there is none.

        Raises:
            CheckpointError: if it is damaged, or if it belongs to another model.
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
        """Lets the next epoch start with the current values of the metrics.

        They belong to the first part of an epoch that was interrupted; `fit` would
        reset them.
        """
        self._metrics = [(v, np.array(v)) for m in gan.metrics for v in m.variables]

    def prepare(self):
        """Creates the directory."""
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
        """Takes a snapshot and starts to write it.

        Raises:
            DivergenceError: if a value is not finite. The snapshot is not saved then.
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
        """Waits until the last checkpoint is on the disk, or warns that it is not."""
        if self._thread is None:
            return
        begin = time.monotonic()
        self._thread.join()
        self._thread = None
        self.seconds += time.monotonic() - begin
        if self._error is not None:
            (problem, error), self._error = self._error, None
            steps = checkpoint_files.steps(self.directory)
            newest = (
                f"The newest checkpoint is that of step {steps[-1]}."
                if steps
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
        except Exception as error:  # nobody would see an exception of this thread
            self._error = ("could not be written", error)
            return
        try:
            checkpoint_files.remove_old(self.directory, self.keep)
        except OSError as error:
            self._error = ("is written, but older ones could not be removed", error)


def _with_step(arrays, variables, gan):
    """Adds the step to arrays of version 0.1.0, which had only G's update count."""
    names = {id(variable): name for name, variable in variables.items()}
    step = names[id(gan.step_counter.count)]
    updates = names.get(id(gan.g_optimizer.iterations))
    if step in arrays or updates not in arrays:
        return arrays
    return {**arrays, step: arrays[updates]}


def _variables(gan):
    """Returns all variables by names that are the same in every process.

    The names contain the position, because Keras's names of variables are not unique.
    """
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
