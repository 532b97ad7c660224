"""Shows the progress of training as a bar on a terminal, or as lines elsewhere."""

import collections
import sys
import time

import tqdm

from keras_sagan.callbacks.step import StepCallback
from keras_sagan.files.streams import LastingStream
from keras_sagan.progress import clock

_WINDOW_SECONDS = 30.0  # over which the rate is averaged
_BAR_SECONDS = 0.2  # between two updates of the bar
_LOSSES = ("d_loss", "g_loss")


class Progress(StepCallback):
    """Shows the step, images per second, the time left and both losses.

    On a terminal it is a bar, whose length is the fraction of the steps or of the time
    that has passed, whichever is larger. Elsewhere it is a line every `line_seconds`.

    Args:
        steps: int. Total number of generator steps.
        examples_per_step: int. Number of real images that a generator step consumes.
        deadline: float, or `None`. Time, as returned by `time.monotonic`, at which
            training ends at the latest.
        stream: text file to write to. Defaults to standard error. Errors of writing are
            ignored.
        line_seconds: float. Seconds between two lines if `stream` is not a terminal.
        samples: `SampleGrid`, or `None`. The path of each new grid is printed.
        evaluation: `Evaluation`, or `None`. The scores of each evaluation are printed.
    """

    def __init__(
        self,
        steps,
        examples_per_step,
        deadline=None,
        stream=None,
        line_seconds=20.0,
        samples=None,
        evaluation=None,
    ):
        super().__init__()
        self.steps = steps
        self.examples_per_step = examples_per_step
        self.deadline = deadline
        self.stream = LastingStream(stream or sys.stderr)
        self.line_seconds = line_seconds
        self.samples = samples
        self.evaluation = evaluation
        self._announced = None, None  # the last path of a grid, and row of scores
        self._bar = None
        self._history = collections.deque()  # (time, step) of the last seconds

    def on_train_begin(self, logs=None):
        self._begin = self._shown = time.monotonic()
        self._losses = {}
        if self.stream.isatty():
            # The total is a fraction, because training may be limited by time, too.
            self._bar = tqdm.tqdm(
                total=1.0,
                file=self.stream,
                bar_format="{percentage:3.0f}%|{bar}| {desc}",
                dynamic_ncols=True,
            )
            self._bar.set_description_str("compiling ...")

    def on_train_batch_end(self, batch, logs=None):
        self._announce()
        now, step = time.monotonic(), self.step
        self._losses = {name: logs[name] for name in _LOSSES if name in (logs or {})}
        self._history.append((now, step))
        while now - self._history[0][0] > _WINDOW_SECONDS and len(self._history) > 2:
            self._history.popleft()
        pause = self.line_seconds if self._bar is None else _BAR_SECONDS
        if now - self._shown >= pause:
            self._shown = now
            self._show(now, step)

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        """Shows the last state and ends the bar, which stays on the screen."""
        self._announce()
        if self._history and self._history[-1][0] > self._shown:
            self._show(*self._history[-1])
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self._history.clear()

    def _announce(self):
        """Prints a line for a new grid of samples, and one for new scores."""
        path = self.samples and self.samples.path
        rows = self.evaluation.rows if self.evaluation else ()
        row = rows[-1] if rows else None
        if path and path != self._announced[0]:
            self._write(f"samples: {path}")
        if row is not None and row is not self._announced[1]:
            names = [name for name in row if name not in ("step", "seconds")]
            scores = "  ".join(f"{name} {row[name]:.4g}" for name in names)
            self._write(f"scores of step {row['step']}: {scores}")
        self._announced = path, row

    def _write(self, line):
        """Prints a line, above the bar if there is one."""
        if self._bar is not None:
            self._bar.clear()
        print(line, file=self.stream, flush=True)
        if self._bar is not None:
            self._bar.refresh()

    def _show(self, now, step):
        if self._bar is None:
            self._write(self._text(now, step))
        else:
            self._bar.n = self._fraction(now, step)
            self._bar.set_description_str(self._text(now, step))

    def _text(self, now, step):
        losses = "".join(
            f"  {name} {float(value):.3f}" for name, value in self._losses.items()
        )
        rate = self._steps_per_second()
        if not rate:
            return f"step {step}/{self.steps}{losses}"
        return (
            f"step {step}/{self.steps}  {rate * self.examples_per_step:.0f} images/s  "
            f"{clock(self._seconds_left(now, step, rate))} left{losses}"
        )

    def _steps_per_second(self):
        """Returns the rate over the last seconds, or 0 while it is unknown."""
        if len(self._history) < 2:
            return 0.0
        (first_time, first_step), (last_time, last_step) = (
            self._history[0],
            self._history[-1],
        )
        return (last_step - first_step) / max(last_time - first_time, 1e-9)

    def _seconds_left(self, now, step, rate):
        left = (self.steps - step) / rate
        if self.deadline is not None:
            left = min(left, self.deadline - now)
        return max(left, 0.0)

    def _fraction(self, now, step):
        parts = [step / self.steps]
        if self.deadline is not None:
            parts.append((now - self._begin) / (self.deadline - self._begin))
        return min(max(parts), 1.0)
