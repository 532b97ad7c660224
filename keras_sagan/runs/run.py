"""A training run: from a configuration to a directory with a trained model."""

import contextlib
import dataclasses
import functools
import pathlib
import signal
import time

from keras_sagan import callbacks
from keras_sagan.callbacks import divergence, progress
from keras_sagan.data.storage import only_one_process
from keras_sagan.distributed import strategies
from keras_sagan.runs import (
    building,
    checkpoint_files,
    checkpoints,
    run_directory,
    signals,
)
from keras_sagan.runs import evaluation as run_evaluation
from keras_sagan.runs import facts as run_facts
from keras_sagan.training.sagan import SAGAN
from keras_sagan.visualize import grids

_COLUMNS = 8  # of the sample grids


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
        model: path of the model's directory, or `None` after SIGTERM.
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
            configuration; nothing is written before `fit`.
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
        self.output = pathlib.Path(output)
        self._resume_from = resume_from
        resume = True if resume_from is not None else resume
        self._resumes = run_directory.check_usable(self.output, config, resume)
        self._check_step(resume_from)
        self.source = source or building.load_source(config, config.model.channels)
        building.check_fits(config, self.source)
        if self._resumes:
            run_facts.check_same_data(self.output, self.source)
        found = self.source
        self.gan = building.build(config, found.class_names, found.class_counts)
        self._before = 0.0  # seconds of training in earlier processes

    @functools.cached_property
    def evaluation(self):
        """`RunEvaluation`, ready, or `None`; not to be had in a strategy's scope.

        Raises `ValueError` or `OSError` if a setting of it is not possible.
        """
        return run_evaluation.of_run(
            self.config, self.output, self.source, self.gan.distribute_strategy
        )

    def fit(self):
        """Trains to the end, or until a signal, and writes the model.

        The first Ctrl-C (SIGINT) or SIGTERM ends training after the step that is
        being made, with a checkpoint; Ctrl-C also writes the model. The second ends
        the process at once.

        Returns:
            `Result`.

        Raises:
            DivergenceError: if a loss or a weight stops being finite.
            BlockingIOError: if another process trains in the directory.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            stack.enter_context(only_one_process(self.output, "training"))
            received = stack.enter_context(signals.StopSignals())
            samples = self._sample_grid()
            samples.set_model(self.gan)  # a run that has ended already has no `fit`
            self._train(samples, received)
        if received.received == signal.SIGTERM:
            return self._result(received, samples, None)
        samples.write_last()
        return self._result(
            received, samples, run_directory.write_model(self.gan, self.output)
        )

    @property
    def step(self):
        """int. Generator steps made so far."""
        return self.gan.step

    def _train(self, samples, received):
        saved, scored = self._checkpoints(), self.evaluation
        self._begin(saved)
        signals.share_state(self.gan)
        shown = self._progress()
        used = [*self._callbacks(samples, received, shown), saved]
        if scored is not None:
            used.insert(-1, scored)
            self.gan.stop_training = scored.go_on(self.gan)
        if self._goes_on(received):
            self._unfinish()
        every = self.config.logging.log_every
        with contextlib.closing(shown):
            try:
                # The rest of an interval that was cut short
                if self._goes_on(received) and self.step % every:
                    saved.keep_metrics(self.gan)
                    self._fit(every - self.step % every, 1, used)
                if self._goes_on(received):
                    self._fit(every, self.config.training.steps, used)
            except callbacks.DivergenceError as error:
                saved.finish()
                raise callbacks.DivergenceError(
                    f"{error} {self._last_good()}"
                ) from None
        signals.share_signal(self.gan, received)

    def _fit(self, steps_per_epoch, epochs, used):
        start = self.step * self.config.training.examples_per_step
        self.gan.fit(
            strategies.stream(self.source, start, self.gan.distribute_strategy),
            steps_per_epoch=steps_per_epoch,
            epochs=epochs,  # `Limits` ends it
            verbose=0,
            callbacks=used,
        )

    def _goes_on(self, received):
        done = self.step >= self.config.training.steps
        # Of several workers, the next step asks the others whether to stop.
        alone = not strategies.is_multi_worker(self.gan.distribute_strategy)
        return not (done or self.gan.stop_training or (alone and received.received))

    def _begin(self, saved):
        """Writes the configuration, and goes to where the run had come."""
        if self._resumes:
            checkpoint = saved.resume(self.gan, self._resume_from)
            checkpoint_files.set_aside(saved.directory, after=self.step)
            every = self.config.logging.log_every
            run_directory.keep_metrics_until(self.output, self.step - self.step % every)
            if checkpoint is not None:
                self._before = checkpoint.details["seconds"]
        self.gan.stop_training = False
        run_directory.write_config(self.output, self.config)
        diversity = divergence.real_diversity(self.source)
        facts = run_facts.describe(self.source, diversity)
        run_facts.write(self.output, facts)

    def _unfinish(self):
        """Takes an earlier end of the run for what it is now: one of its states."""
        run_directory.set_model_aside(self.output)

    def _check_step(self, step):
        folder = self.output / run_directory.CHECKPOINTS
        known = checkpoint_files.steps(folder)
        if step is not None and step not in known:
            raise FileNotFoundError(
                f"`resume_from` must be the step of a checkpoint in {str(folder)!r}: "
                f"{', '.join(map(str, known)) or 'there is none'}. Received: {step!r}."
            )

    def _seconds(self):
        return self._before + time.monotonic() - self._start

    def _result(self, received, samples, model):
        return Result(
            gan=self.gan,
            steps=self.step,
            seconds=time.monotonic() - self._start,
            signal=received.received,
            best=self.evaluation and self.evaluation.best,
            samples=samples.path,
            model=model,
        )

    @property
    def _deadline(self):
        minutes = self.config.training.minutes
        return None if minutes is None else self._start + 60 * minutes

    def _checkpoints(self):
        logging = self.config.logging

        def details():
            return {
                "seconds": round(self._seconds(), 3),
                "class_names": self.gan.class_names and list(self.gan.class_names),
            }

        return checkpoints.Checkpoints(
            self.output / run_directory.CHECKPOINTS,
            logging.checkpoint_every,
            logging.keep_checkpoints,
            details,
        )

    def _sample_grid(self):
        labels, seeds, columns = None, list(range(_COLUMNS**2)), _COLUMNS
        if self.config.model.num_classes is not None:
            classes = grids.shown_classes(self.config.model.num_classes)
            labels, seeds = grids.class_rows(classes, _COLUMNS)
        return callbacks.SampleGrid(
            self.output / "samples" / "{step:07d}.png",
            self.config.logging.sample_every,
            labels,
            seeds,
            columns,
            at_end=False,
        )

    def _progress(self):
        training = self.config.training
        return progress.Progress(
            training.steps, training.examples_per_step, self._deadline
        )

    def _callbacks(self, samples, received, shown):
        training = self.config.training
        diversity = divergence.real_diversity(self.source)

        def reserve():  # the last grid, the model and the checkpoint
            cost = self.evaluation.cost if self.evaluation else 0.0
            return 5.0 + samples.seconds + cost

        return [
            callbacks.MetricsLog(
                self.output / run_directory.METRICS_FILE,
                training.examples_per_step,
                self._seconds,
            ),
            callbacks.TensorBoardScalars(self.output / "logs"),
            callbacks.StopOnNonFinite(),
            callbacks.Limits(training.steps, self._deadline, reserve),
            signals.StopOnSignal(received),
            samples,
            callbacks.TensorBoardPictures(self.output / "logs" / "pictures", samples),
            divergence.CollapseWarnings(samples, diversity, training.loss),
            shown,
        ]

    def _last_good(self):
        known = checkpoint_files.steps(self.output / run_directory.CHECKPOINTS)
        if not known:
            return "There is no checkpoint yet."
        return (
            f"The newest checkpoint is of step {known[-1]}; the run can go on there "
            "only with the same settings, so begin another with a smaller learning "
            "rate."
        )
