"""Shows the progress of long work: a bar on a terminal, occasional lines elsewhere.

A bar redraws its line many times, which would fill a log file. So if the stream is not
a terminal, a whole line is printed every `LINE_SECONDS`. Both show the rate and the
time left.
"""

import contextlib
import contextvars
import sys
import time

LINE_SECONDS = 20.0

_DISPLAY = contextvars.ContextVar("keras_sagan_progress", default=False)


@contextlib.contextmanager
def display():
    """Lets `track` and `Counter` show progress; outside of this scope they are quiet.

    Commands enter it around their work, so that the library prints nothing by default.
    """
    token = _DISPLAY.set(True)
    try:
        yield
    finally:
        _DISPLAY.reset(token)


def track(items, total, description, unit="images", size=lambda item: 1, start=0):
    """Yields `items` and shows how many of them have been processed.

    Args:
        items: iterable.
        total: int, or `None` if unknown. Number of units in all items.
        description: str. Shown in front of the counts.
        unit: str. What is counted, in the plural.
        size: function from an item to the number of units in it.
        start: int. Number of units that were counted before, e.g. in an earlier call.
    """
    with Counter(total, description, unit, start) as counter:
        for item in items:
            yield item
            counter.add(size(item))


class Counter:
    """Counts units of work and shows the count; to be used in a `with` statement.

    Args:
        total, description, unit, start: as for `track`.
    """

    def __init__(self, total, description, unit="images", start=0):
        self.total, self.description, self.unit = total, description, unit
        self.count, self._start = start, start
        self._stream = sys.stderr if _DISPLAY.get() else None
        self._bar = None

    def __enter__(self):
        self._begin = self._last_line = time.monotonic()
        if self._stream is not None and self._stream.isatty():
            from tqdm import tqdm  # here, because `--help` must not wait for it

            self._bar = tqdm(
                total=self.total,
                desc=self.description,
                unit=f" {self.unit}",
                initial=self.count,
                file=self._stream,
                dynamic_ncols=True,
            )
        return self

    def add(self, number=1):
        """Counts `number` more units."""
        self.count += number
        if self._bar is not None:
            self._bar.update(number)
        elif self._stream is not None:
            now = time.monotonic()
            if now - self._last_line >= LINE_SECONDS:
                self._last_line = now
                print(self._line(now), file=self._stream, flush=True)

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.close()

    def _line(self, now):
        rate = (self.count - self._start) / max(now - self._begin, 1e-9)
        end = "" if self.total is None else f"/{self.total:.0f}"
        line = f"{self.description}: {self.count:.0f}{end} {self.unit}, {rate:.3g}/s"
        if self.total is None or not rate:
            return line
        return f"{line}, {clock((self.total - self.count) / rate)} left"


def clock(seconds):
    """Returns a duration in seconds as text, such as `"4:05"` or `"2:03:04"`."""
    minutes, seconds = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
