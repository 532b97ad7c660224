"""Errors that the person at the command line can mend."""

import contextlib


class UserError(Exception):
    """What was asked for cannot be done; the message is all that is to be shown."""


@contextlib.contextmanager
def user_errors():
    """Turns the library's complaints about its arguments into `UserError`.

    It goes around what depends on the person's input. An error of training itself
    keeps its traceback.
    """
    try:
        yield
    except (ValueError, OSError, RuntimeError) as error:
        raise UserError(str(error)) from error
