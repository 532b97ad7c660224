"""Locks that let only one process at a time work in a folder."""

import contextlib
import errno
import fcntl
import os


@contextlib.contextmanager
def only_one_process(directory, doing):
    """Locks a directory during the scope, so that no other process works in it.

    The directory itself is locked: there is no lock file to be left behind, and the
    lock disappears with the process, however that ends.

    Args:
        directory: path of an existing directory.
        doing: str. What a process does there, for the error message, e.g. "training".

    Raises:
        BlockingIOError: if another process holds the lock.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(
                f"Another process is {doing} in {str(directory)!r}."
            ) from None
        except OSError as error:  # some network file systems have no locks
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EBADF):
                raise
        yield
    finally:
        os.close(descriptor)
