import time

import pytest

from keras_sagan.serving.client.retries import Retries, call_with_retries
from keras_sagan.serving.errors import Code, ServingError

QUICK = Retries(attempts=4, initial_pause=0.01)


def failing(times, code, retry_after=0.0):
    """A function that fails `times` times, and the seconds that it was given."""
    given = []

    def attempt(left):
        given.append(left)
        if len(given) <= times:
            raise ServingError(code, "busy", retry_after)
        return "done"

    return attempt, given


def test_tries_again_until_it_works():
    attempt, given = failing(3, Code.UNAVAILABLE)
    assert call_with_retries(attempt, QUICK, 30) == "done"
    assert len(given) == 4
    assert given == sorted(given, reverse=True)  # one deadline for all attempts


def test_gives_up_after_the_last_attempt():
    attempt, given = failing(9, Code.UNAVAILABLE)
    with pytest.raises(ServingError, match="UNAVAILABLE: busy"):
        call_with_retries(attempt, QUICK, 30)
    assert len(given) == 4


@pytest.mark.parametrize("code", set(Code) - {Code.OK, Code.UNAVAILABLE})
def test_other_errors_are_not_repeated(code):
    attempt, given = failing(1, code)
    with pytest.raises(ServingError, match=code.name):
        call_with_retries(attempt, QUICK, 30)
    assert len(given) == 1


def test_no_pause_beyond_the_deadline():
    attempt, given = failing(9, Code.UNAVAILABLE, retry_after=60.0)
    begin = time.monotonic()
    with pytest.raises(ServingError, match="UNAVAILABLE"):
        call_with_retries(attempt, QUICK, 5)
    assert len(given) == 1
    assert time.monotonic() - begin < 5


def test_pauses_grow_to_a_limit_and_obey_the_server():
    retries = Retries(initial_pause=1.0, longest_pause=4.0)
    largest = [max(retries.pause(k) for _ in range(500)) for k in range(5)]
    for limit, pause in zip([1, 2, 4, 4, 4], largest, strict=True):
        assert 0.8 * limit < pause <= limit
    assert retries.pause(0, retry_after=9.0) == 9.0


def test_settings_out_of_range():
    with pytest.raises(ValueError, match=r"`attempts` must be .* Received: 0"):
        Retries(attempts=0)
    with pytest.raises(ValueError, match=r"`initial_pause` must be .* Received: 9"):
        Retries(initial_pause=9.0)
