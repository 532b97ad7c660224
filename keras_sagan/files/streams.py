"""Keeps problems with standard output and error from ending a program.

A pipe whose reader is gone (`train | tee`, `presets | head -1`), a closed terminal, a
full disk or a character that an ASCII terminal lacks would otherwise raise an error in
the middle of the work.
"""

import contextlib
import errno
import os
import sys

_NOBODY_READS = (errno.EPIPE, errno.EIO)  # EIO: a terminal that was closed


class LastingStream:
    """A text stream whose writes never fail.

    Characters that its encoding lacks are written as `\\xdf` or `\\u732b`.

    Args:
        stream: text file to write to, or None to discard everything.

    Attributes:
        error: the first `OSError` that lost text, or None. A reader that has gone away
            does not count as one.
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
        """Flushes the stream and discards what cannot be written.

        Python flushes it again at exit and would print an error message then, so the
        descriptor is pointed to the null device.
        """
        if self._attempt("flush"):
            return
        with contextlib.suppress(OSError):  # the stream may have no descriptor
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
        """Calls a method of the stream, and returns whether that succeeded."""
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
    """Replaces `sys.stdout` and `sys.stderr` by streams whose writes never fail.

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
    """Opens those of the descriptors 0 to 2 that are closed (`>&-`).

    Otherwise the next file to be opened would get the number, and with it whatever
    libraries print.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
