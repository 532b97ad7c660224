"""Errors that the person at the command line can mend."""

import contextlib

from keras_sagan.extras import MissingExtraError
from keras_sagan.files.writing import is_of_tensorflow

EXIT_USAGE = 2  # after a mistake in what was asked for


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
    except (ValueError, OSError, RuntimeError, MissingExtraError) as error:
        raise UserError(str(error)) from error
    except MemoryError as error:
        raise UserError(f"the memory is not enough: {error}") from error
    except Exception as error:
        if not is_of_tensorflow(error):
            raise
        raise UserError(f"{type(error).__name__}: {error}") from error
