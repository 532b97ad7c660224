"""The base class of callbacks that count generator steps, and the limits of training.

Callbacks read the step from the model. They thus count generator steps however long an
epoch is and however often training was resumed.
"""

import time

import keras


class StepCallback(keras.callbacks.Callback):
    """A callback that knows the current generator step."""

    @property
    def step(self):
        """int. Generator steps made so far."""
        return self.model.step


class Limits(StepCallback):
    """Ends training after a number of steps, or before a deadline.

    Args:
        steps: int. Total number of generator steps, including those before this `fit`.
        deadline: float, or `None`. Time, as returned by `time.monotonic`, by which
            everything must be done.
        reserve: function, or `None`. Returns the number of seconds before the deadline
            to reserve for what happens after training.
    """

    def __init__(self, steps, deadline=None, reserve=None):
        super().__init__()
        self.steps = steps
        self.deadline = deadline
        self.reserve = reserve
        self._begin = None
        self._longest = 0.0

    def on_train_batch_begin(self, batch, logs=None):
        self._begin = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        reserve = self.reserve() if self.reserve else 0.0
        # Would another step, as long as this one, end too late?
        late = self.deadline is not None and (
            now + (now - self._begin) + reserve >= self.deadline
        )
        if late:
            self.model.request_stop()
        if self.step >= self.steps:
            self.model.stop_training = True
