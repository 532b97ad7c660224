"""Trying a request again, with growing pauses, until its deadline."""

import dataclasses
import random
import time
import typing
from collections.abc import Callable

from keras_sagan.serving.errors import Code, ServingError


@dataclasses.dataclass(frozen=True)
class Retries:
    """When to try again.

    A request is repeated when the server cannot be reached or says that it is busy
    or starting (`UNAVAILABLE`). Generation is a pure function of the request, so
    that a second answer to it does no harm. The pause before attempt `k + 1` is
    drawn uniformly from `[0, initial_pause * 2**k]`, which keeps many clients from
    coming back at once.

    Args:
        attempts: int, at least 1. Attempts in all; 1 for no retries.
        initial_pause: float. Seconds.
        longest_pause: float. Seconds.
    """

    attempts: int = 5
    initial_pause: float = 0.1
    longest_pause: float = 5.0

    def __post_init__(self):
        if self.attempts < 1:
            raise ValueError(
                f"`attempts` must be at least 1. Received: {self.attempts!r}."
            )
        if not 0 <= self.initial_pause <= self.longest_pause:
            raise ValueError(
                "`initial_pause` must be in [0, longest_pause]. Received: "
                f"{self.initial_pause!r} with longest_pause={self.longest_pause!r}."
            )

    def pause(self, attempt: int, retry_after: float = 0.0) -> float:
        """Seconds to wait after attempt number `attempt` (from 0) failed."""
        limit = min(self.longest_pause, self.initial_pause * 2.0**attempt)
        return max(random.uniform(0.0, limit), retry_after)


def call_with_retries(
    attempt: Callable[[float], typing.Any], retries: Retries, timeout: float
) -> typing.Any:
    """Calls `attempt` until it succeeds, it may not be repeated, or time is up.

    Args:
        attempt: function of the seconds left, which returns the result or raises
            `ServingError`.
        retries: `Retries`.
        timeout: float. Seconds for all attempts and pauses together.

    Returns:
        What `attempt` returned.

    Raises:
        ServingError: the last one. It has the code `DEADLINE_EXCEEDED` only where an
            attempt itself took too long: a pause that would outlast the deadline is
            not begun.
    """
    deadline = time.monotonic() + timeout
    for number in range(retries.attempts):
        try:
            return attempt(max(deadline - time.monotonic(), 1e-3))
        except ServingError as error:
            pause = retries.pause(number, error.retry_after)
            last = number + 1 == retries.attempts
            late = time.monotonic() + pause >= deadline
            if error.code is not Code.UNAVAILABLE or last or late:
                raise
        time.sleep(pause)
    raise AssertionError("unreachable: the last attempt returns or raises")
