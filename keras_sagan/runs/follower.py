"""The outputs of a worker that is not the chief, which trains but writes nothing."""

import contextlib

from keras_sagan.callbacks import divergence
from keras_sagan.runs import checkpoints


class NoOutputs:
    """Takes the place of `outputs.Outputs` on a worker that writes nothing.

    Args:
        config: `RunConfig`, the same as that of the chief.
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
        """Returns the source; the chief compares the data."""
        return source

    def locked(self):
        return contextlib.nullcontext()

    def begin(self, gan, source, evaluation):
        """Does nothing; the state comes from the chief, see `signals.share_state`."""

    def begin_training(self):
        """Does nothing; there are no files to set aside."""

    def end_training(self):
        """Does nothing; no progress is shown."""

    def end(self):
        """Does nothing; the chief writes the model."""

    def seconds_to_end(self):
        return 0.0

    def last_good(self):
        return "The chief knows the newest checkpoint."


class _Silent(checkpoints.Checkpoints):
    """Takes part in checkpoints without writing them.

    Reading the state of the model needs all workers, so that this one has to read it
    whenever the chief does.
    """

    def prepare(self):
        """Does nothing; there is no directory."""

    def save(self):
        arrays = checkpoints.snapshot(self.model)
        divergence.check_arrays(arrays, self.step)
        self._last = self.step
