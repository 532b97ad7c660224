"""A callback that evaluates the averaged generator during training."""

import csv
import io
import math
import time

import tensorflow as tf

from keras_sagan.callbacks.event_files import EventWriter
from keras_sagan.callbacks.step import StepCallback
from keras_sagan.files import paths, writing
from keras_sagan.metrics import evaluation, image_sets, registry
from keras_sagan.metrics.settings import Settings
from keras_sagan.training import saving
from keras_sagan.visualize import curves

TABLE = "evaluation.csv"
CURVE = "evaluation.png"
BEST = "best"
BEST_ROW = "evaluation.json"  # in the best model's directory


class Evaluation(StepCallback):
    """Evaluates the model regularly, keeps the best one, and can stop training early.

    Every evaluation generates images from the same latents. Scores are written to
    `evaluation.csv` and for TensorBoard, and the monitored one is plotted against the
    steps in `evaluation.png`. The features of the real images are computed only once,
    when training begins. An evaluation that would exceed its share of the time is
    skipped, and tried again at the next multiple of `every`.

    A resumed run reads the rows up to its step and drops later ones from the file, so
    that it knows the best score and how many evaluations ago that was. No step is
    evaluated twice.

    With several workers, only the chief has this callback. The others wait for it in
    their next step.

    Args:
        real: `ImageSet` of real images.
        extractor: `keras_sagan.metrics.Extractor`.
        directory: str or path. Directory for `evaluation.csv`, `evaluation.png`, the
            TensorBoard file, and the best model, `best/` with its row in
            `evaluation.json`. A resumed run continues the files in it.
        every: int. Number of steps between evaluations, which take place at its
            multiples.
        num_images: int. Number of generated images.
        seed: int. Seed of their latents.
        settings: `keras_sagan.metrics.Settings`. Defaults to the Frechet
            and the kernel distance.
        monitor: str, or `None`. Name, or beginning of the name, of the score that
            decides what is best. Defaults to the first score.
        mode: `"min"`, `"max"` or `None`. Whether smaller or larger values of that score
            are better. Defaults to what is right for it, e.g. `"max"` for precision.
        keep_best: bool. Whether to write the model whenever it is the best so far.
        patience: int, or `None`. Number of evaluations in a row without improvement
            after which training ends.
        target: float, or `None`. Value of the monitored score at which training ends.
        share: float in (0, 1]. Share of the time since training began in this process
            that evaluations may take. The features of the real images do not count.

    Attributes:
        rows: list of dict with "step", "seconds" (time of the evaluation) and scores.
        best: dict, the best row, or `None`.
        skipped: int. Number of evaluations that were skipped to save time.

    Raises:
        ValueError: if an argument is out of range, or if no score begins with
            `monitor`.
    """

    def __init__(
        self,
        real,
        extractor,
        directory,
        every=1000,
        num_images=2000,
        seed=0,
        settings=None,
        monitor=None,
        mode=None,
        keep_best=True,
        patience=None,
        target=None,
        share=0.1,
    ):
        super().__init__()
        _check("every", every, every >= 1, "at least 1")
        _check("mode", mode, mode in (None, "min", "max"), "'min', 'max' or None")
        _check("share", share, 0 < share <= 1, "in (0, 1]")
        _check("patience", patience, patience is None or patience >= 1, "at least 1")
        self.real, self.extractor = real, extractor
        self.directory = paths.local(directory)
        self.every, self.num_images, self.seed = every, num_images, seed
        self.settings = settings or Settings(metrics=("fid", "kid"))
        self.monitor, self.mode = monitor, mode
        self.keep_best, self.share = keep_best, share
        self.patience, self.target = patience, target
        self.rows, self.best, self.skipped = [], None, 0
        self._prepared, self._begin = None, None
        self._spent, self.cost, self._last_step = 0.0, 0.0, 0

    # === When ===
    def prepare(self):
        """Computes the features of the real images, once, and tries out every metric.

        If this is done before training, settings that cannot work are found at once.

        Raises:
            ValueError: if a metric cannot be computed, or if there is no score
                `monitor`.
        """
        if self._prepared is not None:
            return
        evaluation.check_ahead(
            self.real, self.num_images, self.extractor, self.settings
        )
        prepared = evaluation.prepare(self.real, self.extractor, self.settings)
        names = evaluation.rehearse(
            prepared, self.num_images, self.extractor, self.settings
        )
        self._monitored(names)
        self._prepared = prepared

    def go_on(self, model):
        """Reads the table of a resumed run up to the step of the model.

        Returns: bool. Whether training is already over according to these scores.
        """
        self.set_model(model)
        if self._read_table():
            self._log_again()
        return self._is_over()

    def on_train_begin(self, logs=None):
        writing.make_folder(self.directory)
        self.prepare()
        self._writer = EventWriter(self.directory)
        self._last_step = self.step
        self._read_table()
        if self._begin is None:  # `fit` may be called several times
            self._begin = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if self.step // self.every == self._last_step // self.every:
            return
        self._last_step = self.step
        elapsed = time.monotonic() - self._begin
        # Skipped if all evaluations would exceed their share of the time, assuming
        # that this one takes as long as the last one.
        if self._spent + self.cost > self.share * (elapsed + self.cost):
            self.skipped += 1
        else:
            self.evaluate()

    def on_train_end(self, logs=None):
        self._writer.close()

    # === What ===
    def evaluate(self):
        """Evaluates the model in its current state, and returns the new row."""
        begin = time.monotonic()
        fake = image_sets.gan_images(self.model, self.num_images, self.seed)
        result = evaluation.evaluate(
            self._prepared, fake, self.extractor, self.settings
        )
        row = {"step": self.step, "seconds": 0.0, **result.scores}
        self.cost = time.monotonic() - begin
        self._spent += self.cost
        row["seconds"] = round(self.cost, 3)
        self.rows.append(row)
        if self._is_better(row):
            self.best = row
            if self.keep_best:
                self._write_best()
        self._log(row)
        if self._is_over():
            self.model.request_stop()
        return row

    def _is_better(self, row):
        name = self._monitored(row)
        if not math.isfinite(row[name]):
            return False
        return self.best is None or self._compare(name, row[name], self.best[name])

    def _compare(self, name, value, other):
        """Returns whether `value` of the score `name` is better than `other`."""
        mode = self.mode or ("max" if registry.higher_is_better(name) else "min")
        return value < other if mode == "min" else value > other

    def _monitored(self, row):
        """Returns the name of the monitored score, out of the names in a row."""
        names = [name for name in row if name not in ("step", "seconds")]
        matching = [x for x in names if x.startswith(self.monitor or names[0])]
        if not matching:
            raise ValueError(
                f"`monitor` must be the beginning of one of {', '.join(names)}. "
                f"Received: monitor={self.monitor!r}."
            )
        return matching[0]

    def _is_over(self):
        """Returns whether the target has been reached, or patience is exhausted."""
        # If no score was finite, every evaluation counts as one without improvement.
        best = self.best["step"] if self.best else -1
        since = sum(row["step"] > best for row in self.rows)
        if self.patience is not None and since >= self.patience:
            return True
        if self.target is None or self.best is None:
            return False
        name = self._monitored(self.best)
        return not self._compare(name, self.target, self.best[name])

    # === Files ===
    def _log(self, row):
        self._write_table()
        self._draw()
        with self._writer.at(row["step"]):
            for name, value in row.items():
                if name != "step":
                    tf.summary.scalar(f"evaluation/{name}", value)

    def _write_best(self):
        """Replaces `best/` by the current model."""

        def write(folder):
            saving.write(self.model, folder)
            writing.write_new(folder / BEST_ROW, writing.json_text(self.best))

        writing.replace_folder(self.directory / BEST, write)

    def _write_table(self):
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(self.rows[0]))
        writer.writeheader()
        writer.writerows(self.rows)
        writing.replace_file(self.directory / TABLE, text.getvalue())

    def _draw(self):
        name = self._monitored(self.rows[0])
        points = [
            (row["step"], row[name], "best" if row is self.best else "")
            for row in self.rows
            if math.isfinite(row[name])
        ]
        if points:
            curves.save_curve(self.directory / CURVE, points, "step", name)

    def _log_again(self):
        """Writes the files again after rows of later steps were dropped."""
        if self.rows:
            self._write_table()
            self._draw()
        else:
            for name in (TABLE, CURVE):
                (self.directory / name).unlink(missing_ok=True)

    def _read_table(self):
        """Reads the rows of a resumed run; returns whether there are later ones."""
        path, later = self.directory / TABLE, False
        if self.rows or not path.is_file():
            return later
        with path.open(encoding="utf-8", newline="") as file:
            for text in csv.DictReader(file):
                row = {name: float(value) for name, value in text.items()}
                row["step"] = int(row["step"])
                if row["step"] > self.step:
                    later = True
                    continue
                self.rows.append(row)
                if self._is_better(row):
                    self.best = row
        return later


def _check(name, value, right, allowed):
    if not right:
        raise ValueError(f"`{name}` must be {allowed}. Received: {name}={value!r}.")
