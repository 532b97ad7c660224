"""Repeats failed requests, with growing pauses, until their deadline."""

import dataclasses
import random
import time
import typing
from collections.abc import Callable

from keras_sagan.serving.errors import Code, ServingError


@dataclasses.dataclass(frozen=True)
class Retries:
    """How often, and after which pauses, a failed request is repeated.

    A request is repeated if the server cannot be reached, or says that it is busy or
    starting (`UNAVAILABLE`). Because generation is a pure function of the request, it
    does no harm if the server has already answered it. The pause before attempt `k + 1`
    is drawn uniformly from `[0, initial_pause * 2**k]`, which keeps many clients from
    coming back at the same time.

    Args:
        attempts: int >= 1. Number of attempts, including the first.
        initial_pause: float. Longest pause, in seconds, after the first attempt.
        longest_pause: float. Longest pause, in seconds, after any attempt.
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
        """Returns the seconds to wait after attempt number `attempt` (from 0)."""
        limit = min(self.longest_pause, self.initial_pause * 2.0**attempt)
        return max(random.uniform(0.0, limit), retry_after)


def call_with_retries(
    attempt: Callable[[float], typing.Any], retries: Retries, timeout: float
) -> typing.Any:
    """Calls `attempt` until it succeeds, must not be repeated, or time is up.

    Args:
        attempt: function of the number of seconds left. It returns a result or raises
            a `ServingError`.
        retries: `Retries`.
        timeout: float. Seconds for all attempts and pauses together.

    Returns:
        The result of `attempt`.

    Raises:
        ServingError: that of the last attempt. Its code is `DEADLINE_EXCEEDED` only if
            an attempt itself took too long: a pause that would outlast the deadline is
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
