"""Writes the metrics of a training run to a file."""

import errno
import json
import os
import time

from keras_sagan.callbacks.step import StepCallback
from keras_sagan.files import paths
from keras_sagan.files.writing import naming
from keras_sagan.training import networks


class MetricsLog(StepCallback):
    """Appends the metrics of every epoch to a file of JSON lines.

    A row holds `step`, `seconds` since training began, `images_per_second` (real images
    per second spent in steps), what `fit` logs, that is, means over the epoch, and the
    `sigmas` of the step.

    Args:
        path: str or path. File to append to.
        examples_per_step: int. Number of real images that a generator step consumes.
        clock: function that returns the seconds since training began. By default they
            are counted from the beginning of `fit`.

    Raises:
        FileNotFoundError: if the file with the previous rows is gone, because somebody
            has deleted the run.
    """

    def __init__(self, path, examples_per_step, clock=None):
        super().__init__()
        self.path = paths.local(path)
        self.examples_per_step = examples_per_step
        self.clock = clock
        self._begun = False

    def on_train_begin(self, logs=None):
        self._begun = False
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
            **networks.sigmas(self.model),
        }
        # Opening it for appending would bring a deleted run back, with one row in it.
        if self._begun and not self.path.exists():
            raise FileNotFoundError(
                errno.ENOENT, os.strerror(errno.ENOENT), str(self.path)
            )
        with naming(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self._begun = True
