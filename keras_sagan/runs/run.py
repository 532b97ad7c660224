"""Carries out a training run: from a configuration to a trained model."""

import dataclasses
import functools
import pathlib
import signal
import time

import tensorflow as tf

from keras_sagan import callbacks
from keras_sagan.distributed import strategies
from keras_sagan.runs import beginning, building, signals
from keras_sagan.runs import evaluation as run_evaluation
from keras_sagan.runs.follower import NoOutputs
from keras_sagan.runs.outputs import Outputs
from keras_sagan.sagan import SAGAN


@dataclasses.dataclass(frozen=True)
class Result:
    """The result of a run.

    Args:
        gan: `SAGAN`, trained.
        steps: int. Number of generator steps made.
        seconds: float. Time from the start of the run to its end.
        signal: int, or `None`. Number of the signal that ended the run early.
        best: dict, or `None`. Step and scores of the best evaluation.
        samples: path of the last grid, or `None`.
        model: path of the model's directory, or `None` if a signal other than Ctrl-C
            ended the run.
    """

    gan: SAGAN
    steps: int
    seconds: float
    signal: int | None
    best: dict | None
    samples: pathlib.Path | None
    model: pathlib.Path | None


class Run:
    """A training run and its directory.

    The directory holds `config.json` (all settings, and versions), `facts.json` (about
    the data and the machine), `checkpoints/`, `samples/`, `logs/` (TensorBoard),
    `metrics.jsonl` and, after `fit`, `model/`.

    A run that ended early, for whatever reason, continues from its newest checkpoint
    and ends with the weights and metrics that it would have had without the
    interruption. If the images are no longer those that it was started with, there is a
    warning.

    Args:
        config: `RunConfig`, as returned by `prepare`.
        output: str or path of a directory that is new, empty, or that of a run with the
            same configuration. Nothing is written before `fit`. `None` on a worker that
            is not the chief, which trains but writes nothing.
        source: `keras_sagan.data.Source`, or `None` to open that of the configuration.
        resume: bool, or `None`. Whether the run in the directory must be resumed (True)
            or a new one started (False); by default, whichever is possible.
        resume_from: int, or `None`. Step of the checkpoint to resume from; later ones
            are set aside. Defaults to the newest.

    Raises:
        FileExistsError: if the directory holds anything else than such a run.
        FileNotFoundError: if there is no run or checkpoint to resume.
        ValueError: if the run there has another configuration or other classes, if the
            data do not match the configuration, or for the same reasons as the models.
    """

    def __init__(self, config, output, source=None, resume=None, resume_from=None):
        self._start = time.monotonic()
        self.config = config
        if output is None:
            self.outputs = NoOutputs(config)
        else:
            self.outputs = Outputs(config, output, resume, resume_from)
        source = source or building.load_source(config, config.model.channels)
        building.check_fits(config, source)
        self.source = self.outputs.check_data(source)
        self.gan = building.build(
            config, self.source.class_names, self.source.class_counts
        )
        beginning.begin(self.gan, config, self.outputs.resumes)

    @functools.cached_property
    def evaluation(self):
        """The prepared `RunEvaluation`, or `None`.

        Do not access it first in the scope of a strategy. It raises a `ValueError` or
        an `OSError` if one of its settings is not possible.
        """
        return run_evaluation.of_run(
            self.config,
            self.outputs.directory,
            self.source,
            self.gan.distribute_strategy,
        )

    @property
    def step(self):
        """int. Number of generator steps made so far."""
        return self.gan.step

    def fit(self):
        """Trains to the end, or until a signal arrives, and writes the model.

        The first of Ctrl-C (SIGINT), SIGTERM, SIGHUP and SIGUSR1 ends training after
        the current step, with a checkpoint; after Ctrl-C, the model is written as well.
        A second Ctrl-C or SIGTERM ends the process immediately.

        Returns:
            `Result`.

        Raises:
            DivergenceError: if a loss or a weight is no longer finite.
            BlockingIOError: if another process is training in the directory.
            OSError: if a picture or the directory cannot be read or written.
        """
        with self.outputs.locked(), signals.StopSignals() as received:
            self.gan.stop_training = False
            self.outputs.begin(self.gan, self.source, self.evaluation)
            signals.share_state(self.gan)
            self._train(received)
            signals.share_signal(self.gan, received)
            ended = received.received in (None, signal.SIGINT)
            model = self.outputs.end() if ended else None
            return Result(
                gan=self.gan,
                steps=self.step,
                seconds=time.monotonic() - self._start,
                signal=received.received,
                best=self.evaluation and self.evaluation.best,
                samples=self.outputs.newest_samples,
                model=model,
            )

    def _train(self, received):
        """Trains to the end of an interrupted interval first, then in whole ones."""
        every, steps = self.config.logging.log_every, self.config.training.steps
        if not self._goes_on(received):
            return
        callback_list = self._callbacks(received)
        self.outputs.begin_training()
        try:
            if self.step % every:
                self.outputs.checkpoints.keep_metrics(self.gan)
                self._fit(every - self.step % every, 1, callback_list)
            if self._goes_on(received):
                # More epochs than can be needed: `Limits` ends training.
                self._fit(every, steps, callback_list)
        except callbacks.DivergenceError as error:
            message = f"{error} {self.outputs.last_good()}"
            raise callbacks.DivergenceError(message) from None
        finally:
            self.outputs.end_training()

    def _fit(self, steps_per_epoch, epochs, callback_list):
        # Every call of `fit` opens the stream anew, at the next unused example.
        start = self.step * self.config.training.examples_per_step
        try:
            self.gan.fit(
                strategies.stream(self.source, start, self.gan.distribute_strategy),
                steps_per_epoch=steps_per_epoch,
                epochs=epochs,
                verbose=0,
                callbacks=callback_list,
            )
        except tf.errors.OpError as error:
            self.outputs.checkpoints.finish()
            failure = getattr(self.source.examples.images, "failure", None)
            if failure is None:
                raise
            raise failure from error

    def _goes_on(self, received):
        done = self.step >= self.config.training.steps
        # With several workers, only the next step can tell them all to stop.
        alone = not strategies.is_multi_worker(self.gan.distribute_strategy)
        return not (done or self.gan.stop_training or (alone and received.received))

    def _callbacks(self, received):
        """Returns the callbacks in the order in which they must be called."""
        return [
            *self.outputs.logs,
            callbacks.StopOnNonFinite(),
            callbacks.Limits(
                self.config.training.steps,
                self.outputs.deadline,
                self.outputs.seconds_to_end,
            ),
            signals.StopOnSignal(received),
            *self.outputs.pictures,
            *filter(None, [self.evaluation]),
            self.outputs.checkpoints,
        ]
