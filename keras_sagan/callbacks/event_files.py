"""Writes and truncates the event files that TensorBoard reads."""

import contextlib

import tensorflow as tf

from keras_sagan.files import paths, writing
from keras_sagan.files.writing import naming

_PATTERN = "events.out.tfevents.*"


class EventWriter:
    """Writes points to a new event file, and starts another one if that is deleted.

    TensorFlow's writer would go on writing to the deleted file without notice.

    Args:
        directory: str or path of the directory.
        suffix: str. Suffix of the file name.
    """

    def __init__(self, directory, suffix=""):
        self.directory = paths.local(directory)
        self._suffix = suffix
        self._open()

    @contextlib.contextmanager
    def at(self, step):
        """Makes `tf.summary` write points of a step; flushes them at the end.

        Raises:
            OSError: if they cannot be written. The message names the directory.
        """
        if not all(path.exists() for path in self._files):
            self.close()
            self._open()
        with naming(self.directory), self._writer.as_default(step=step):
            yield
            self._writer.flush()

    def close(self):
        self._writer.close()

    def _open(self):
        before = set(self.directory.glob(_PATTERN))
        with naming(self.directory):
            self._writer = tf.summary.create_file_writer(
                str(self.directory), filename_suffix=self._suffix
            )
        self._files = set(self.directory.glob(_PATTERN)) - before


def keep_until(directory, step):
    """Drops all points after a step, and one that is truncated.

    Args:
        directory: str or path of the directory of event files.
        step: int. The last step to keep; -1 to drop all points.

    Returns: set of int, the steps that still have points.
    """
    remaining = set()
    for path in sorted(paths.local(directory).glob(_PATTERN)):
        steps, complete = _steps(path)
        remaining.update(x for x in steps if x <= step)
        if not complete or any(x > step for x in steps):
            _rewrite(path, step)
    return remaining


def _steps(path):
    """Returns the steps of the points in a file, and whether the file is complete."""
    steps = set()
    try:
        for _, event in _events(path):
            if event.HasField("summary"):
                steps.add(event.step)
    except tf.errors.DataLossError:
        return steps, False
    return steps, True


def _rewrite(path, step):
    def write(new):
        with (
            tf.io.TFRecordWriter(str(new)) as file,
            contextlib.suppress(tf.errors.DataLossError),  # a truncated record
        ):
            for record, event in _events(path):
                if event.step <= step or not event.HasField("summary"):
                    file.write(record)

    writing.replace_file(path, write)


def _events(path):
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        yield record, tf.compat.v1.Event.FromString(record)
