import threading

import pytest

from keras_sagan.serving.errors import Code, ServingError
from keras_sagan.serving.server.admission import Admission


def test_one_too_many_is_refused_at_once():
    admission = Admission(2, 1)
    with admission.admitted(), admission.admitted():
        with pytest.raises(ServingError, match="dealing with 2 requests") as refused:
            with admission.admitted():
                pass
    assert refused.value.code is Code.UNAVAILABLE
    assert refused.value.retry_after > 0
    with admission.admitted():  # there is room again
        pass


def test_an_error_makes_room_too():
    admission = Admission(1, 1)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="own"), admission.admitted():
            with admission.running(1):
                raise RuntimeError("own")


def test_waiting_for_a_turn_ends_with_the_deadline():
    admission = Admission(2, 1)
    with admission.running(0):
        with pytest.raises(ServingError, match="time was up") as late:
            with admission.running(0.01):
                pass
    assert late.value.code is Code.DEADLINE_EXCEEDED


def test_a_deadline_that_no_clock_reaches():
    admission, done = Admission(2, 1), []

    def wait():
        with admission.running(1e300):
            done.append(True)

    thread = threading.Thread(target=wait, daemon=True)
    with admission.running(0):
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()
    thread.join(60)
    assert done


def test_closing_lets_the_begun_finish():
    admission = Admission(2, 1)
    begun, go_on = threading.Event(), threading.Event()

    def request():
        with admission.admitted():
            begun.set()
            go_on.wait()

    thread = threading.Thread(target=request, daemon=True)
    thread.start()
    begun.wait()
    admission.close()
    assert not admission.is_open
    with pytest.raises(ServingError, match="shutting down"), admission.admitted():
        pass
    assert not admission.wait_until_idle(0.01)
    go_on.set()
    assert admission.wait_until_idle(60)
    thread.join()
