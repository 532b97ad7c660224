"""Errors that a user of the command line can fix, which are shown without traceback."""

import contextlib

from keras_sagan.extras import MissingExtraError
from keras_sagan.files.writing import is_of_tensorflow

EXIT_USAGE = 2  # after a mistake in the request


class UserError(Exception):
    """Raised for a request that cannot be fulfilled; only its message is shown."""


@contextlib.contextmanager
def user_errors():
    """Turns errors that the library raises for invalid arguments into `UserError`.

    It is meant for code that depends on the user's input. Errors of training itself
    should keep their traceback.
    """
    try:
        yield
    except (ValueError, OSError, RuntimeError, MissingExtraError) as error:
        raise UserError(str(error)) from error
    except MemoryError as error:
        raise UserError(f"there is not enough memory: {error}") from error
    except Exception as error:
        if not is_of_tensorflow(error):
            raise
        raise UserError(f"{type(error).__name__}: {error}") from error
