"""Errors of the file system that say which file they are of."""

import contextlib
import errno

import tensorflow as tf


@contextlib.contextmanager
def naming(path):
    """Scope whose errors are `OSError`s that name a file.

    A write to a full disk names none, and TensorFlow has errors of its own.

    Args:
        path: str or path of the file or folder that is written in the scope.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        reason = error.strerror or str(error)
        raise OSError(error.errno or errno.EIO, reason, str(path)) from error
    except tf.errors.OpError as error:
        raise OSError(errno.EIO, error.message, str(path)) from error
