"""Callbacks for `SAGAN.fit`: limits, samples, metrics files, guard.

They read the step from the generator's optimizer, so they count generator steps
whatever an epoch is and however often training was resumed.
"""

import json
import math
import pathlib
import time

import keras
import tensorflow as tf

from keras_sagan.training import observations
from keras_sagan.training.file_errors import naming
from keras_sagan.visualize import grids


class StepCallback(keras.callbacks.Callback):
    """A callback that knows the step."""

    @property
    def step(self):
        """int. Generator steps made so far."""
        return int(keras.ops.convert_to_numpy(self.model.g_optimizer.iterations))


class Limits(StepCallback):
    """Ends training after a number of steps, or in time.

    Args:
        steps: int. Generator steps in all, those before this `fit` included.
        deadline: float, or `None`. Time (as `time.monotonic` gives) at which
            everything is to be done.
        reserve: callable, or `None`. Returns the seconds to keep before the
            deadline for what comes after training.
    """

    def __init__(self, steps, deadline=None, reserve=None):
        super().__init__()
        self.steps = steps
        self.deadline = deadline
        self.reserve = reserve
        self._begin = None
        self._longest = 0.0

    def on_train_batch_begin(self, batch, logs=None):
        self._begin = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        reserve = self.reserve() if self.reserve else 0.0
        late = self.deadline is not None and (
            now + (now - self._begin) + reserve >= self.deadline
        )
        if late:
            self.model.request_stop()
        if self.step >= self.steps:
            self.model.stop_training = True


class SampleGrid(StepCallback):
    """Writes grids of the same latents: at step 0, while training goes on, and after.

    Args:
        pattern: str. Path with a field for the step: `"samples/{step:07d}.png"`.
        every: int. Grids are written at the multiples of so many steps.
        labels: list of labels, one an image, or `None` for an unconditional model.
        seeds: list of int, one an image.
        columns: int. Images in a row.
        at_end: bool. Whether to write a grid when `fit` ends.

    Attributes:
        images: uint8 array of the last grid's images, or None before the first.
        path: of the last grid, or None.
        seconds: float. That the slowest grid took.
    """

    def __init__(self, pattern, every, labels, seeds, columns, at_end=True):
        super().__init__()
        self.pattern = str(pattern)
        self.every = every
        self.labels = labels
        self.seeds = seeds
        self.columns = columns
        self.at_end = at_end
        self.seconds = 0.0
        self.images = None
        self.path = None
        self._last = 0  # step up to which grids are written

    def write(self):
        """Generates the images and writes the grid of the current step."""
        begin = time.monotonic()
        if self.labels is None:
            images = self.model.generate(num_images=len(self.seeds), seed=self.seeds)
        else:
            images = self.model.generate(labels=self.labels, seed=self.seeds)
        path = pathlib.Path(self.pattern.format(step=self.step))
        with naming(path):
            grids.save_grid(path, images, self.columns)
        self.images, self.path = images, path
        self._last = self.step
        self.seconds = max(self.seconds, time.monotonic() - begin)

    def write_last(self):
        """Writes the grid of the current step unless it is the last one written."""
        if self.path is None or self._last != self.step:
            self.write()

    def on_train_begin(self, logs=None):
        self._last = self.step
        if self.step == 0:
            self.write()

    def on_train_batch_end(self, batch, logs=None):
        if self.step // self.every > self._last // self.every:
            self.write()

    def on_train_end(self, logs=None):
        if self.at_end:
            self.write_last()


class MetricsLog(StepCallback):
    """Appends a row of metrics, means over an epoch, to a file of JSON lines.

    A row holds `step`, `seconds` since training began, `images_per_second` (real
    images; time of the steps alone), what `fit` logs, and the `sigmas` of the step.

    Args:
        path: str. File to append to.
        examples_per_step: int. Real images that a generator step consumes.
        clock: callable that returns the seconds since training began. Defaults to
            those since `fit` began.
    """

    def __init__(self, path, examples_per_step, clock=None):
        super().__init__()
        self.path = pathlib.Path(path)
        self.examples_per_step = examples_per_step
        self.clock = clock

    def on_train_begin(self, logs=None):
        if self.clock is None:
            start = time.monotonic()
            self.clock = lambda: time.monotonic() - start

    def on_epoch_begin(self, epoch, logs=None):
        self._first_step = self.step
        self._busy = 0.0

    def on_train_batch_begin(self, batch, logs=None):
        self._begin = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self._busy += time.monotonic() - self._begin

    def on_epoch_end(self, epoch, logs=None):
        images = (self.step - self._first_step) * self.examples_per_step
        row = {
            "step": self.step,
            "seconds": round(self.clock(), 3),
            "images_per_second": round(images / self._busy, 2),
            **{name: float(value) for name, value in (logs or {}).items()},
            **observations.sigmas(self.model),
        }
        with naming(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


class TensorBoardScalars(StepCallback):
    """Writes what `MetricsLog` does for TensorBoard, against generator steps.

    `keras.callbacks.TensorBoard` counts epochs, and looks at `model.optimizer`.

    Args:
        directory: str. Log directory.
    """

    def __init__(self, directory):
        super().__init__()
        self.directory = str(directory)
        self._writer = None

    def on_train_begin(self, logs=None):
        with naming(self.directory):
            self._writer = tf.summary.create_file_writer(self.directory)

    def on_epoch_end(self, epoch, logs=None):
        with naming(self.directory), self._writer.as_default(step=self.step):
            for name, value in (logs or {}).items():
                tf.summary.scalar(name, float(value))
            for name, value in observations.sigmas(self.model).items():
                tf.summary.scalar(name, value)
            self._writer.flush()

    def on_train_end(self, logs=None):
        self._writer.close()


class StopOnNonFinite(StepCallback):
    """Raises as soon as a logged value is not finite.

    Raises:
        DivergenceError: naming the step, and what was not finite first.
    """

    def on_epoch_end(self, epoch, logs=None):
        bad = {
            name: float(value)
            for name, value in (logs or {}).items()
            if not math.isfinite(value)
        }
        if bad:
            raise DivergenceError(
                f"Training diverged: {self._cause()} Logged at step {self.step}: {bad}."
            )

    def _cause(self):
        first = self.model.first_non_finite()
        if first is None:
            return "a mean over the last steps is not finite."
        step, cause = first
        return f"at step {step} {cause} was not finite."


class DivergenceError(FloatingPointError):
    """A loss or a weight is not finite any more."""
