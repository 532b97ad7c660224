"""Folders in which only one process works at a time."""

import contextlib
import errno
import fcntl
import os


@contextlib.contextmanager
def only_one_process(directory, doing):
    """Scope in which no other process has entered it for a directory.

    The directory itself is locked: no file of a lock is left in it, and the lock goes
    with the process, whatever ends it.

    Args:
        directory: path of a directory that is there.
        doing: str. What the other process is doing there, for the message.

    Raises:
        BlockingIOError: if one has.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(
                f"Another process is {doing} in {str(directory)!r}."
            ) from None
        except OSError as error:  # file systems without locks
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EBADF):
                raise
        yield
    finally:
        os.close(descriptor)
