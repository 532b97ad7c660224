"""Standard output and error that may be closed, full or in ASCII: that ends nothing.

A pipe whose reader has gone (`train | tee`, `presets | head -1`), a terminal that was
closed or a full disk would end a program in the middle of its work.
"""

import contextlib
import errno
import os
import sys

_NOBODY_READS = (errno.EPIPE, errno.EIO)  # EIO: a terminal that was closed


class LastingStream:
    """A text stream that cannot fail.

    What its encoding does not have is written as `\\xdf` and `\\u732b`.

    Args:
        stream: text file to write to, or None for nowhere.

    Attributes:
        error: the first `OSError` by which text was lost, or None. That nobody reads
            any more is none.
    """

    def __init__(self, stream):
        self._stream = stream
        self.error = None

    def write(self, text):
        self._attempt("write", self._encodable(text))
        return len(text)

    def flush(self):
        self._attempt("flush")

    def isatty(self):
        return self._stream is not None and self._stream.isatty()

    def finish(self):
        """Flushes, and drops what cannot be written: Python would, and say so."""
        if self._attempt("flush"):
            return
        with contextlib.suppress(OSError):  # of a stream that is no file
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name):  # `encoding`, `fileno`
        return getattr(self._stream, name)

    def _encodable(self, text):
        encoding = getattr(self._stream, "encoding", None)
        if encoding is None:
            return text
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def _attempt(self, action, *arguments):
        """Whether a method of the stream, if there is one, could be called."""
        try:
            if self._stream is not None:
                getattr(self._stream, action)(*arguments)
        except OSError as error:
            if error.errno not in _NOBODY_READS:
                self.error = self.error or error
            return False
        return True


@contextlib.contextmanager
def lasting():
    """Scope in which `sys.stdout` and `sys.stderr` cannot fail.

    Yields: `LastingStream` of standard output.
    """
    _occupy_descriptors()
    output, errors = LastingStream(sys.stdout), LastingStream(sys.stderr)
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            yield output
        finally:
            output.finish()
            errors.finish()


def _occupy_descriptors():
    """Opens the descriptors 0 to 2 where they are closed (`>&-`).

    The next file that is opened would get the number, and what libraries print.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
