"""Starts TensorFlow without the pages of messages that it prints on import."""

import contextlib
import os
import sys
import tempfile

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


def start_tensorflow():
    """Imports TensorFlow and looks for devices quietly; later errors are shown.

    oneDNN is enabled unless the environment variable TF_ENABLE_ONEDNN_OPTS says
    otherwise. TensorFlow leaves it off on processors without AVX512, where it makes
    training two to three times faster (docs/how-to/save-time-and-memory.md).

    If the environment variable TF_CPP_MIN_LOG_LEVEL is set, all messages are shown.
    (TensorFlow itself respects it only once it has been imported.)
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
    """Discards what is written to standard error, unless there is an exception.

    It redirects the descriptor, because TensorFlow's messages come from C++.
    """
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
