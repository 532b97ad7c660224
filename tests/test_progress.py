"""Progress: a bar on terminals, lines in log files, nothing where nobody asked."""

import io
import types

import pytest

from keras_sagan import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def stream(monkeypatch, request):
    """Standard error: a file, or what the test's parameter says."""
    made = getattr(request, "param", io.StringIO)()
    monkeypatch.setattr(progress, "sys", types.SimpleNamespace(stderr=made))
    return made


@pytest.fixture
def now(monkeypatch):
    """A clock that stands still unless it is set: list of one float."""
    seconds = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])
    return seconds


def drive(now, batches=4, seconds=15.0):
    """Four batches of 10 images of 15 seconds each."""
    with progress.display():
        for _ in progress.track([10] * batches, 40, "looking", size=lambda item: item):
            now[0] += seconds


def test_lines_in_a_file(stream, now):
    drive(now)
    assert stream.getvalue().splitlines() == [
        "looking: 20/40 images, 0.667/s, 0:30 left",
        "looking: 40/40 images, 0.667/s, 0:00 left",
    ]


def test_short_work_is_silent_in_a_file(stream, now):
    drive(now, seconds=1.0)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("stream", [Terminal], indirect=True)
def test_a_bar_on_a_terminal(stream):
    drive([0.0])
    assert "\r" in stream.getvalue() and "40/40" in stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO, Terminal], indirect=True)
def test_nothing_where_nobody_asked(stream, now):
    for _ in progress.track(range(3), 3, "looking"):
        now[0] += 100.0
    assert stream.getvalue() == ""


def test_what_was_done_before_is_not_in_the_rate(stream, now):
    with progress.display(), progress.Counter(100, "going on", start=50) as counter:
        now[0] = 25.0
        counter.add(25)
    assert stream.getvalue() == "going on: 75/100 images, 1/s, 0:25 left\n"


def test_an_unknown_total(stream, now):
    with progress.display(), progress.Counter(None, "download", "MB") as counter:
        now[0] = 20.0
        counter.add(40)
    assert stream.getvalue() == "download: 40 MB, 2/s\n"


def test_clock():
    assert progress.clock(245) == "4:05"
    assert progress.clock(7384.9) == "2:03:04"
