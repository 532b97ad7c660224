"""Writes the directory of a run, and resumes the run from what is there."""

import contextlib
import math
import time

from keras_sagan import callbacks
from keras_sagan.callbacks import divergence, event_files
from keras_sagan.files import paths, writing
from keras_sagan.files.locking import only_one_process
from keras_sagan.metrics import collapse, image_sets
from keras_sagan.runs import checkpoint_files, reading, run_directory
from keras_sagan.runs import facts as run_facts
from keras_sagan.runs.checkpoints import Checkpoints
from keras_sagan.visualize import grids

_COLUMNS = 8  # of the sample grids
_SECONDS_TO_END = 5.0  # for the model and the last checkpoint


class Outputs:
    """The directory of a run; `follower.NoOutputs` is its counterpart without one.

    Args:
        config, directory, resume, resume_from: as for `Run`.

    Attributes:
        resumes: bool. Whether a run is resumed.

    Attributes, after `begin`:
        logs: list of callbacks that write numbers.
        pictures: list of callbacks that draw pictures or show progress.
        checkpoints: `Checkpoints`.

    Raises: as for `Run`.
    """

    def __init__(self, config, directory, resume=None, resume_from=None):
        self._start = time.monotonic()
        self._seconds_before = 0.0  # of training in earlier processes
        self.config = config
        self.directory = paths.local(directory)
        self._resume_from = resume_from
        resume = True if resume_from is not None else resume
        self.resumes = run_directory.check_usable(self.directory, config, resume)
        self._check_step(resume_from)

    def check_data(self, source):
        """Compares the data with those of the earlier part of a resumed run.

        Returns: the source, with the classes in the order of the run.
        """
        if self.resumes:
            source = run_facts.in_run_order(self.directory, source)
            run_facts.check_same_data(self.directory, source)
        return source

    @contextlib.contextmanager
    def locked(self):
        """Keeps other processes from training in the directory during the scope."""
        writing.make_folder(self.directory)
        with only_one_process(self.directory, "training"):
            writing.remove_unfinished(self.directory)
            yield

    def begin(self, gan, source, evaluation):
        """Brings the model and the directory to the state from which training starts.

        For a resumed run, that is the state of a checkpoint.

        Args:
            gan: compiled `SAGAN`.
            source: `keras_sagan.data.Source`.
            evaluation: `RunEvaluation`, or None.
        """
        self._evaluation = evaluation
        self.checkpoints = self._new_checkpoints(gan)
        logged = self._go_back(gan, evaluation) if self.resumes else []
        if evaluation is not None:
            gan.stop_training = evaluation.go_on(gan)
        run_directory.write_config(self.directory, self.config)
        diversity = divergence.real_diversity(source)
        run_facts.write(self.directory, run_facts.describe(source, diversity))
        self._samples = self._new_samples(gan)
        self._progress = self._new_progress()
        self.logs = [
            self._new_signs(source),
            callbacks.MetricsLog(
                self.directory / reading.METRICS,
                self.config.training.examples_per_step,
                self._seconds,
            ),
            callbacks.TensorBoardScalars(self.directory / reading.LOGS, logged),
        ]
        self.pictures = [
            self._samples,
            callbacks.TensorBoardPictures(
                self.directory / reading.PICTURES, self._samples
            ),
            callbacks.CollapseWarnings(
                self._samples, diversity, self.config.training.loss
            ),
            self._progress,
        ]

    def begin_training(self):
        """Renames the model of an earlier end of the run, which is now outdated."""
        run_directory.set_model_aside(self.directory)

    def end_training(self):
        """Shows the final progress on the screen."""
        self._progress.close()

    def end(self):
        """Writes the last grid and the model, and returns the path of the model."""
        self._samples.write_last()
        return run_directory.write_model(self._samples.model, self.directory)

    @property
    def newest_samples(self):
        """Path of the last grid, or None."""
        return self._samples.path

    @property
    def deadline(self):
        """Time, as from `time.monotonic`, by which the run must be done, or None."""
        minutes = self.config.training.minutes
        return None if minutes is None else self._start + 60 * minutes

    def seconds_to_end(self):
        """Returns the estimated time of everything after the last step, in seconds."""
        cost = self._evaluation.cost if self._evaluation else 0.0
        return _SECONDS_TO_END + self._samples.seconds + cost

    def last_good(self):
        """Returns a sentence on where a run that has diverged can be resumed."""
        self.checkpoints.finish()
        steps = checkpoint_files.steps(self.directory / reading.CHECKPOINTS)
        if not steps:
            return "There is no checkpoint yet."
        return (
            f"The newest checkpoint is that of step {steps[-1]}. The run can go on "
            "from there only with the same settings, so begin another one with a "
            "smaller learning rate."
        )

    def _go_back(self, gan, evaluation):
        """Restores a checkpoint, and drops what was written after its step.

        Returns: list of dict, rows of metrics that are missing for TensorBoard.
        """
        checkpoint = self.checkpoints.resume(gan, self._resume_from)
        if checkpoint is not None:
            self._seconds_before = checkpoint.details["seconds"]
        step = gan.step
        self._set_aside(step, evaluation)
        interval = step - step % self.config.logging.log_every
        run_directory.keep_metrics_until(self.directory, interval)
        points = event_files.keep_until(self.directory / reading.LOGS, interval)
        pictures = self.directory / reading.PICTURES
        event_files.keep_until(pictures, step or -1)  # step 0 is going to be drawn anew
        event_files.keep_until(self.directory / reading.EVALUATION, step)
        rows = reading.read_rows(self.directory)
        return [row for row in rows if row["step"] not in points]

    def _set_aside(self, step, evaluation):
        """Renames files of later steps, unless the run will write the same again.

        A run that is resumed at its newest checkpoint repeats the same steps.
        """
        checkpoint_files.set_aside(self.checkpoints.directory, after=step)
        if self._resume_from is not None:
            run_directory.set_samples_aside(self.directory, after=step)
            if evaluation is not None:
                evaluation.set_best_aside(after=step)

    def _check_step(self, step):
        steps = checkpoint_files.steps(self.directory / reading.CHECKPOINTS)
        if step is not None and step not in steps:
            raise FileNotFoundError(
                "`resume_from` must be the step of a checkpoint in "
                f"{str(self.directory / reading.CHECKPOINTS)!r}: "
                f"{', '.join(map(str, steps)) or 'there is none'}. Received: {step!r}."
            )

    def _seconds(self):
        return self._seconds_before + time.monotonic() - self._start

    def _new_checkpoints(self, gan):
        logging = self.config.logging
        names = gan.class_names and list(gan.class_names)
        return Checkpoints(
            self.directory / reading.CHECKPOINTS,
            logging.checkpoint_every,
            logging.keep_checkpoints,
            lambda: {"seconds": round(self._seconds(), 3), "class_names": names},
        )

    def _new_samples(self, gan):
        labels, seeds, columns = None, list(range(_COLUMNS**2)), _COLUMNS
        if gan.generator.num_classes is not None:
            classes = grids.shown_classes(gan.generator.num_classes)
            labels, seeds = grids.class_rows(classes, _COLUMNS)
        folder = str(self.directory / reading.SAMPLES)
        # The path becomes part of a format string.
        folder = folder.replace("{", "{{").replace("}", "}}")
        samples = callbacks.SampleGrid(
            f"{folder}/{reading.SAMPLE}",
            self.config.logging.sample_every,
            labels,
            seeds,
            columns,
            at_end=False,
        )
        samples.set_model(gan)  # `fit`, which would do it, may have no steps left
        return samples

    def _new_signs(self, source):
        logging = self.config.logging
        intervals = math.ceil(logging.sample_every / logging.log_every)
        count = min(source.num_examples, collapse.COMPARED)
        names = source.class_names
        real = image_sets.array_images(*source.arrays(), count=count, class_names=names)
        return callbacks.CollapseSigns(real, intervals * logging.log_every)

    def _new_progress(self):
        training = self.config.training
        return callbacks.Progress(
            training.steps,
            training.examples_per_step,
            self.deadline,
            samples=self._samples,
            evaluation=self._evaluation,
        )
