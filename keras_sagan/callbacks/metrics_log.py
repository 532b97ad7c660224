"""The file of metrics of a training run."""

import errno
import json
import os
import time

from keras_sagan.callbacks.step import StepCallback
from keras_sagan.files import paths
from keras_sagan.files.writing import naming
from keras_sagan.training import networks


class MetricsLog(StepCallback):
    """Appends a row of metrics, means over an epoch, to a file of JSON lines.

    A row holds `step`, `seconds` since training began, `images_per_second` (real
    images; time of the steps alone), what `fit` logs, and the `sigmas` of the step.
    Where the file is gone that the last row was written to, somebody has removed the
    run: `FileNotFoundError`.

    Args:
        path: str. File to append to.
        examples_per_step: int. Real images that a generator step consumes.
        clock: callable that returns the seconds since training began. Defaults to
            those since `fit` began.
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
        if self._begun and not self.path.exists():
            raise FileNotFoundError(
                errno.ENOENT, os.strerror(errno.ENOENT), str(self.path)
            )
        with naming(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self._begun = True
