"""Raises the limit of files that the process may have open."""

import resource

_SPARE = 256  # files, for everything else in the process


def allow(count):
    """Raises the limit so that `count` more files can be open, if the system allows it.

    If it does not, the limit becomes as high as possible, and there is no error.

    Args:
        count: int.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _SPARE
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
