"""Checks arguments that are counts, with errors that name the argument."""

import math
import numbers


def check_count(name, value, lowest, highest=math.inf, why=""):
    """Raises a `ValueError` unless `value` is an integer in [lowest, highest]."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or not lowest <= value <= highest:
        limit = "" if highest == math.inf else f" and at most {highest}"
        raise ValueError(
            f"`{name}` must be an integer of at least {lowest}{limit}{why}. "
            f"Received: {name}={value!r}."
        )
