"""Files of points that TensorBoard reads ("event files")."""

import contextlib

import tensorflow as tf

from keras_sagan.files import paths, writing
from keras_sagan.files.writing import naming

_PATTERN = "events.out.tfevents.*"


class EventWriter:
    """Writes points into a new file of a directory, and another once that is removed.

    TensorFlow's own writer goes on with a file that has no name any more.

    Args:
        directory: str or path.
        suffix: str. End of the file's name.
    """

    def __init__(self, directory, suffix=""):
        self.directory = paths.local(directory)
        self._suffix = suffix
        self._open()

    @contextlib.contextmanager
    def at(self, step):
        """Scope in which `tf.summary` writes points of a step; flushed at its end.

        Raises:
            OSError: if they cannot be written; it names the directory.
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
    """Drops the points after a step, and one that was cut off.

    Args:
        directory: path.
        step: int. -1 to drop all of them.

    Returns: set of int: the steps that have points.
    """
    left = set()
    for path in sorted(paths.local(directory).glob(_PATTERN)):
        steps, whole = _steps(path)
        left.update(x for x in steps if x <= step)
        if not whole or any(x > step for x in steps):
            _rewrite(path, step)
    return left


def _steps(path):
    """The steps of the points in a file, and whether it could be read to its end."""
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
            contextlib.suppress(tf.errors.DataLossError),  # cut off there
        ):
            for record, event in _events(path):
                if event.step <= step or not event.HasField("summary"):
                    file.write(record)

    writing.replace_file(path, write)


def _events(path):
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        yield record, tf.compat.v1.Event.FromString(record)
