"""The run of a worker that is not the chief."""

import time

from keras_sagan import callbacks
from keras_sagan.callbacks import divergence
from keras_sagan.runs import building, checkpoints, signals
from keras_sagan.runs.run import Run


class Follower(Run):
    """The run of a worker that is not the chief: it trains along and writes nothing.

    Args:
        config: `RunConfig`, the same as the chief's.
        source: `keras_sagan.data.Source`, as the chief's.
    """

    def __init__(self, config, source):
        self._start = time.monotonic()
        self.config = config
        self.source = source
        self.output = None
        self.gan = building.build(config, source.class_names, source.class_counts)

    def fit(self):
        """Trains to the end with the chief, whose state it takes first.

        Returns: `Result` without files.

        Raises:
            DivergenceError: as on the chief.
        """
        with signals.StopSignals() as received:
            self._train(_NoSamples(), received)
        return self._result(received, _NoSamples(), None)

    def _begin(self, saved):
        self.gan.stop_training = False

    def _unfinish(self):
        """Nothing is written."""

    def _checkpoints(self):
        logging = self.config.logging
        return _Silent(None, logging.checkpoint_every, logging.keep_checkpoints)

    def _callbacks(self, samples, received, shown):
        training = self.config.training
        return [
            callbacks.StopOnNonFinite(),
            callbacks.Limits(training.steps),
            signals.StopOnSignal(received),
        ]

    def _last_good(self):
        return "The chief knows the newest checkpoint."


class _NoSamples:
    """In place of a grid that is not drawn."""

    path = None
    seconds = 0.0


class _Silent(checkpoints.Checkpoints):
    """Takes part in reading the state, which needs every worker, and writes nothing."""

    def prepare(self):
        """Nothing is written."""

    def save(self):
        arrays = checkpoints.snapshot(self.model)
        divergence.check_arrays(arrays, self.step)
        self._last = self.step
