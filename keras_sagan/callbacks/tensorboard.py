"""Writes scalars, sample grids, attention figures and histograms for TensorBoard."""

import tensorflow as tf

from keras_sagan.callbacks.event_files import EventWriter
from keras_sagan.callbacks.step import StepCallback
from keras_sagan.files import paths
from keras_sagan.training import networks
from keras_sagan.visualize import attention, grids


class TensorBoardScalars(StepCallback):
    """Writes the values of `MetricsLog` for TensorBoard, against generator steps.

    `keras.callbacks.TensorBoard` counts epochs instead, and needs `model.optimizer`.

    Args:
        directory: str or path of the log directory.
        earlier: iterable of rows of `MetricsLog` to write first, for a directory whose
            files have been deleted.
    """

    def __init__(self, directory, earlier=()):
        super().__init__()
        self.directory = str(paths.local(directory))
        self.earlier = list(earlier)
        self._writer = None

    def on_train_begin(self, logs=None):
        self._writer = EventWriter(self.directory)
        for row in self.earlier:
            others = ("step", "seconds", "images_per_second")
            self._write(row["step"], {k: v for k, v in row.items() if k not in others})
        self.earlier = []

    def on_epoch_end(self, epoch, logs=None):
        self._write(self.step, {**(logs or {}), **networks.sigmas(self.model)})

    def on_train_end(self, logs=None):
        self._writer.close()

    def _write(self, step, values):
        with self._writer.at(step):
            for name, value in values.items():
                tf.summary.scalar(name, float(value))


class TensorBoardPictures(StepCallback):
    """Writes pictures and histograms for TensorBoard whenever `SampleGrid` has a grid.

    They are the grid, the attention figure of its first image, and histograms of all
    trainable weights.

    Args:
        directory: str or path of a log directory that nothing else writes to: during a
            run, TensorBoard follows only the newest file of a directory.
        samples: `SampleGrid`, which must come before this callback.
    """

    def __init__(self, directory, samples):
        super().__init__()
        self.directory = str(paths.local(directory))
        self.samples = samples
        self._writer = None
        self._seen = None  # path of the last grid that was written

    def on_train_begin(self, logs=None):
        self._writer = EventWriter(self.directory, ".pictures")
        self._look()

    def on_train_batch_end(self, batch, logs=None):
        self._look()

    def on_train_end(self, logs=None):
        self._writer.close()

    def _look(self):
        if self.samples.images is None or self.samples.path == self._seen:
            return
        self._seen = self.samples.path
        with self._writer.at(self.step):
            self._write_pictures()
            for prefix, network in networks.named_networks(self.model):
                for weight in network.trainable_variables:
                    name = f"{prefix}_weights/{weight.path}"
                    tf.summary.histogram(name, weight.numpy())

    def _write_pictures(self):
        samples, gan = self.samples, self.model
        grid = grids.image_grid(samples.images, samples.columns)
        tf.summary.image("samples", grid[None])
        if not attention.has_maps(gan):
            return
        label = None if samples.labels is None else samples.labels[0]
        figure = attention.attention_figure(gan, label, samples.seeds[0])
        tf.summary.image("attention", figure[None])
