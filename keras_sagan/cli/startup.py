"""Starts TensorFlow without the pages of messages that it greets with."""

import contextlib
import os
import sys
import tempfile

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


def start_tensorflow():
    """Imports TensorFlow and finds its devices; its later errors are shown.

    oneDNN is on unless the environment variable TF_ENABLE_ONEDNN_OPTS says otherwise.
    TensorFlow leaves it off on processors without AVX512, where it makes training two
    to three times faster (docs/how-to/save-time-and-memory.md).

    With the environment variable TF_CPP_MIN_LOG_LEVEL set, which TensorFlow obeys
    only after it was imported, nothing is kept back.
    """
    os.environ.setdefault(_ONEDNN, "1")
    if _LEVEL in os.environ:
        return
    os.environ[_LEVEL] = "2"
    with _held_back_stderr():
        import absl.logging
        import tensorflow as tf

        tf.config.list_physical_devices()
    absl.logging.set_verbosity(absl.logging.ERROR)


@contextlib.contextmanager
def _held_back_stderr():
    """Shows what is written to standard error, by C++ too, only after an exception."""
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(original, held.read())
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)
