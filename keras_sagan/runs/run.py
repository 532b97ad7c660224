"""A training run: from a configuration to a directory with a trained model."""

import dataclasses
import functools
import pathlib
import signal
import time

import tensorflow as tf

from keras_sagan import callbacks
from keras_sagan.distributed import strategies
from keras_sagan.runs import building, signals
from keras_sagan.runs import evaluation as run_evaluation
from keras_sagan.runs.follower import NoOutputs
from keras_sagan.runs.outputs import Outputs
from keras_sagan.sagan import SAGAN


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run came to.

    Args:
        gan: `SAGAN`, trained.
        steps: int. Generator steps made.
        seconds: float. From the start of the run to its end.
        signal: int, or `None`. The number of the signal that ended it early.
        best: dict, or `None`. Step and scores of the best evaluation.
        samples: path of the last grid, or `None`.
        model: path of the model's directory, or `None` where a signal other than
            Ctrl-C ended the run.
    """

    gan: SAGAN
    steps: int
    seconds: float
    signal: int | None
    best: dict | None
    samples: pathlib.Path | None
    model: pathlib.Path | None


class Run:
    """One training run and its directory.

    The directory holds `config.json` (every setting, and versions), `facts.json` (of
    data and machine), `checkpoints/`, `samples/`, `logs/` (TensorBoard),
    `metrics.jsonl` and, after `fit`, `model/`.

    A run that ended early, however it did, goes on at its newest checkpoint, and ends
    with the weights and metrics that it would have had without the interruption;
    other pictures than it was begun with are a warning.

    Args:
        config: `RunConfig`, as `prepare` returns it.
        output: str or path. Directory: new, empty, or that of a run with the same
            configuration; nothing is written before `fit`. `None` on a worker that is
            not the chief: it trains along and writes nothing.
        source: `keras_sagan.data.Source`, or `None` to open the configuration's.
        resume: bool, or `None`. Whether a run must go on (True) or begin (False) in
            the directory; by default whichever fits.
        resume_from: int, or `None`. Step of the checkpoint to go on at; newer ones
            are set aside. Defaults to the newest.

    Raises:
        FileExistsError: if the directory holds something else than such a run.
        FileNotFoundError: if there is no run or checkpoint to go on with.
        ValueError: if the run there has another configuration or other classes, or
            the data do not fit the configuration, or as the models do.
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

    @functools.cached_property
    def evaluation(self):
        """`RunEvaluation`, ready, or `None`; not to be had in a strategy's scope.

        Raises `ValueError` or `OSError` if a setting of it is not possible.
        """
        return run_evaluation.of_run(
            self.config,
            self.outputs.directory,
            self.source,
            self.gan.distribute_strategy,
        )

    @property
    def step(self):
        """int. Generator steps made so far."""
        return self.gan.step

    def fit(self):
        """Trains to the end, or until a signal, and writes the model.

        The first of Ctrl-C (SIGINT), SIGTERM, SIGHUP and SIGUSR1 ends training after
        the step that is being made, with a checkpoint; Ctrl-C also writes the model. A
        second Ctrl-C or SIGTERM ends the process at once.

        Returns:
            `Result`.

        Raises:
            DivergenceError: if a loss or a weight stops being finite.
            BlockingIOError: if another process trains in the directory.
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
        """Trains to the end: the rest of an interval, then whole ones."""
        every, steps = self.config.logging.log_every, self.config.training.steps
        if not self._goes_on(received):
            return
        used = self._callbacks(received)
        self.outputs.begin_training()
        try:
            if self.step % every:
                self.outputs.checkpoints.keep_metrics(self.gan)
                self._fit(every - self.step % every, 1, used)
            if self._goes_on(received):
                self._fit(every, steps, used)  # `Limits` ends it
        except callbacks.DivergenceError as error:
            message = f"{error} {self.outputs.last_good()}"
            raise callbacks.DivergenceError(message) from None
        finally:
            self.outputs.end_training()

    def _fit(self, steps_per_epoch, epochs, used):
        start = self.step * self.config.training.examples_per_step
        try:
            self.gan.fit(
                strategies.stream(self.source, start, self.gan.distribute_strategy),
                steps_per_epoch=steps_per_epoch,
                epochs=epochs,
                verbose=0,
                callbacks=used,
            )
        except tf.errors.OpError as error:
            self.outputs.checkpoints.finish()
            failure = getattr(self.source.examples.images, "failure", None)
            if failure is None:
                raise
            raise failure from error

    def _goes_on(self, received):
        done = self.step >= self.config.training.steps
        # Of several workers, the next step asks the others whether to stop.
        alone = not strategies.is_multi_worker(self.gan.distribute_strategy)
        return not (done or self.gan.stop_training or (alone and received.received))

    def _callbacks(self, received):
        """What is done between steps, in this order."""
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
