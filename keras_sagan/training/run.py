"""A training run: from a configuration to a directory with a trained model."""

import contextlib
import dataclasses
import json
import pathlib
import platform
import re
import time

import keras

from keras_sagan import data
from keras_sagan.models.discriminator import Discriminator
from keras_sagan.models.generator import Generator
from keras_sagan.training import callbacks, preset_directory, progress
from keras_sagan.training.sagan import SAGAN
from keras_sagan.visualize import grids

CONFIG_FILE = "config.json"
METRICS_FILE = "metrics.jsonl"
MODEL_FOLDER = "model"

_COLUMNS = 8  # of the sample grids


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run came to.

    Args:
        gan: `SAGAN`, trained.
        steps: int. Generator steps made.
        seconds: float. From the start of the run to its end.
        interrupted: bool. Whether Ctrl-C ended it.
        samples: path of the last grid.
        model: path of the model's directory.
    """

    gan: SAGAN
    steps: int
    seconds: float
    interrupted: bool
    samples: pathlib.Path
    model: pathlib.Path


def prepare(config, given=()):
    """Opens the data of a configuration and fills in what they decide.

    Args:
        config: `RunConfig`, e.g. `get_preset(name).run_config(overrides)`.
        given: names of settings that are meant as they are. The number of classes
            and channels of the others are taken from the data.

    Returns:
        `(config, source)`: the resolved `RunConfig` and the
        `keras_sagan.data.Source` that it was resolved against.

    Raises:
        ValueError: if a given setting contradicts the data.
        OSError: if the data cannot be read.
    """
    source = load_source(
        config, config.model.channels if "model.channels" in given else None
    )
    wanted = config.model.num_classes
    if "model.num_classes" in given and wanted != source.num_classes:
        raise ValueError(
            f"Setting `model.num_classes` is the data's: {config.data.dataset!r} has "
            f"num_classes={source.num_classes}. Received: {wanted!r}."
        )
    found = {
        "model.num_classes": source.num_classes,
        "model.channels": source.channels,
    }
    return config.override(found), source


def load_source(config, channels):
    """Opens the data of a run; one batch is what a generator step consumes."""
    training = config.training
    source = data.load(
        config.data.dataset,
        image_size=config.model.image_size,
        batch_size=1,
        split=config.data.split,
        seed=training.seed,
        channels=channels,
        cache_dir=config.data.cache_dir,
        fit=config.data.fit,
        label_sampling=config.data.real_labels,
    )
    if source.num_examples < training.examples_per_step:
        raise ValueError(
            "`batch_size` * `discriminator_steps` * `gradient_accumulation_steps` must "
            f"be at most the {source.num_examples} images of {source.name!r}. "
            f"Received: {training.batch_size} * {training.discriminator_steps} * "
            f"{training.gradient_accumulation_steps}."
        )
    return dataclasses.replace(source, batch_size=training.examples_per_step)


def build(config, class_names=None, class_counts=None):
    """Builds and compiles the `SAGAN` of a configuration.

    Seeds Python's, NumPy's and Keras's generators with `training.seed`.

    Args:
        config: `RunConfig`.
        class_names: sequence of str, or `None`.
        class_counts: sequence of int, or `None`. Examples of each class, for natural
            fake labels.
    """
    training = config.training
    natural = config.data.fake_labels == "natural"
    keras.utils.set_random_seed(training.seed)
    gan = SAGAN(
        Generator(**config.model.generator_kwargs(), dtype=training.dtype_policy),
        Discriminator(
            **config.model.discriminator_kwargs(), dtype=training.dtype_policy
        ),
        class_names=class_names,
    )
    preset_directory.compile_from_settings(
        gan,
        config.optimizer,
        training,
        augmentation=config.augmentation,
        fake_label_weights=class_counts if natural else None,
    )
    return gan


class Run:
    """One training run and its directory.

    The directory holds `config.json` (every setting, and versions), `samples/`,
    `logs/` (TensorBoard), `metrics.jsonl` and, after `fit`, `model/`.

    Args:
        config: `RunConfig`, as `prepare` returns it.
        output: str or path. Directory, new or empty; nothing is written before `fit`.
        source: `keras_sagan.data.Source`, or `None` to open the configuration's.

    Raises:
        FileExistsError: if the directory is not empty.
        ValueError: if the data do not fit the configuration, or as the models do.
    """

    def __init__(self, config, output, source=None):
        self._start = time.monotonic()
        self.config = config
        self.output = pathlib.Path(output)
        check_unused(self.output)
        self.source = source or load_source(config, config.model.channels)
        _check_fits(config, self.source)
        found = self.source
        self.gan = build(config, found.class_names, found.class_counts)

    def fit(self):
        """Trains to the end, or until Ctrl-C, and writes the model.

        Returns:
            `Result`.

        Raises:
            FloatingPointError: if a loss stops being finite.
        """
        training = self.config.training
        self._begin_directory()
        samples = self._sample_grid()
        shown = self._progress()
        interrupted = False
        try:
            with contextlib.closing(shown):
                self.gan.fit(
                    self.source.dataset,
                    steps_per_epoch=min(self.config.logging.log_every, training.steps),
                    epochs=training.steps,  # `Limits` ends it
                    verbose=0,
                    callbacks=self._callbacks(samples, shown),
                )
        except KeyboardInterrupt:
            interrupted = True
            samples.write()
        model = self.output / MODEL_FOLDER
        self.gan.save_to_preset(str(model))
        return Result(
            gan=self.gan,
            steps=samples.step,
            seconds=time.monotonic() - self._start,
            interrupted=interrupted,
            samples=samples.path,
            model=model,
        )

    @property
    def _deadline(self):
        minutes = self.config.training.minutes
        return None if minutes is None else self._start + 60 * minutes

    def _begin_directory(self):
        check_unused(self.output)
        self.output.mkdir(parents=True, exist_ok=True)
        versions = {"python": platform.python_version(), **preset_directory.metadata()}
        content = {**self.config.to_dict(), "versions": versions}
        path = self.output / CONFIG_FILE
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

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
        )

    def _progress(self):
        training = self.config.training
        return progress.Progress(
            training.steps, training.examples_per_step, self._deadline
        )

    def _callbacks(self, samples, shown):
        training = self.config.training

        def reserve():  # the last grid and the model
            return 5.0 + samples.seconds

        return [
            callbacks.MetricsLog(
                self.output / METRICS_FILE, training.examples_per_step
            ),
            callbacks.TensorBoardScalars(self.output / "logs"),
            callbacks.StopOnNonFinite(),
            callbacks.Limits(training.steps, self._deadline, reserve),
            samples,
            shown,
        ]


def load_trained(path):
    """Loads a trained model.

    Args:
        path: str or path. A run directory, or the directory of a model.

    Raises:
        FileNotFoundError: if it is neither.
    """
    path = pathlib.Path(path)
    for folder in (path / MODEL_FOLDER, path):
        if (folder / preset_directory.WEIGHTS).is_file():
            return SAGAN.from_preset(str(folder))
    raise FileNotFoundError(
        f"{str(path)!r} holds no trained model: expected {MODEL_FOLDER}/ of a finished "
        "run, or a directory written by `save_to_preset`."
    )


def next_run_directory(config, base="runs"):
    """Returns the next unused path `runs/NUMBER-DATA-PRESET`."""
    base = pathlib.Path(base)
    names = [path.name for path in base.iterdir()] if base.is_dir() else []
    numbers = [int(m[1]) for m in map(re.compile(r"(\d+)-").match, names) if m]
    dataset = re.sub(r"[^A-Za-z0-9_.]+", "-", config.data.dataset).strip("-")
    return base / f"{max(numbers, default=-1) + 1:05d}-{dataset}-{config.preset}"


def check_unused(output):
    """Raises `FileExistsError` where `output` holds anything."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise FileExistsError(
            f"{str(output)!r} is not empty: a run needs a directory of its own. "
            "Nothing was changed."
        )


def _check_fits(config, source):
    for name in ("num_classes", "channels", "image_size"):
        wanted, found = getattr(config.model, name), getattr(source, name)
        if wanted != found:
            raise ValueError(
                f"Setting `model.{name}` must be the data's {found!r}. "
                f"Received: {wanted!r}."
            )
