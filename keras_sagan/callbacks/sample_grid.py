"""Writes grids of samples that show how training proceeds."""

import pathlib
import time

from keras_sagan.callbacks.step import StepCallback
from keras_sagan.files import paths
from keras_sagan.visualize import grids


class SampleGrid(StepCallback):
    """Writes grids of images from the same latents before, during and after training.

    Args:
        pattern: str. Path with a field for the step, e.g. `"samples/{step:07d}.png"`.
        every: int. Number of steps between grids, which are written at its multiples.
        labels: list of labels, one per image, or `None` for an unconditional model.
        seeds: list of int, one per image.
        columns: int. Number of images in a row.
        at_end: bool. Whether to write a grid when `fit` ends.

    Attributes:
        images: uint8 array of the images in the last grid, or None before the first.
        path: path of the last grid, or None.
        seconds: float. Time that the slowest grid took.
    """

    def __init__(self, pattern, every, labels, seeds, columns, at_end=True):
        super().__init__()
        self.pattern = str(paths.local(pattern))
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
        path = self._path()
        grids.save_grid(path, images, self.columns)
        self.images, self.path = images, path
        self._last = self.step
        self.seconds = max(self.seconds, time.monotonic() - begin)

    def write_last(self):
        """Writes the grid of the current step unless that has been done."""
        if self.path is None or self.path != self._path() or not self.path.exists():
            self.write()

    def on_train_begin(self, logs=None):
        self._last = self.step
        due = self.step % self.every == 0 and not self._path().exists()
        if self.step == 0 or due:
            self.write()

    def on_train_batch_end(self, batch, logs=None):
        if self.step // self.every > self._last // self.every:
            self.write()

    def on_train_end(self, logs=None):
        if self.at_end:
            self.write_last()

    def _path(self):
        return pathlib.Path(self.pattern.format(step=self.step))
