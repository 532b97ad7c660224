"""What the run of a worker that is not the chief does beside training: nothing."""

import contextlib

from keras_sagan.callbacks import divergence
from keras_sagan.runs import checkpoints


class NoOutputs:
    """In place of `outputs.Outputs`: a worker trains along and writes nothing.

    Args:
        config: `RunConfig`, the same as the chief's.
    """

    directory = newest_samples = deadline = None
    logs = pictures = ()
    resumes = False

    def __init__(self, config):
        logging = config.logging
        self.checkpoints = _Silent(
            None, logging.checkpoint_every, logging.keep_checkpoints
        )

    def check_data(self, source):
        """The chief has compared them."""
        return source

    def locked(self):
        return contextlib.nullcontext()

    def begin(self, gan, source, evaluation):
        """The state is the chief's: see `signals.share_state`."""

    def begin_training(self):
        """Nothing is set aside."""

    def end_training(self):
        """Nothing is shown."""

    def end(self):
        """No model is written."""

    def seconds_to_end(self):
        return 0.0

    def last_good(self):
        return "The chief knows the newest checkpoint."


class _Silent(checkpoints.Checkpoints):
    """Takes part in reading the state, which needs every worker, and writes nothing."""

    def prepare(self):
        """Nothing is written."""

    def save(self):
        arrays = checkpoints.snapshot(self.model)
        divergence.check_arrays(arrays, self.step)
        self._last = self.step
