"""The evaluation of a run during training, as its configuration describes it."""

import contextlib

from keras_sagan import data
from keras_sagan.callbacks.evaluation import BEST, BEST_ROW, Evaluation
from keras_sagan.distributed import strategies
from keras_sagan.files import json_files, writing
from keras_sagan.metrics.evaluation import check_ahead
from keras_sagan.metrics.extractors import classifier, naming, opening
from keras_sagan.metrics.image_sets import array_images
from keras_sagan.metrics.registry import Need
from keras_sagan.metrics.settings import Settings
from keras_sagan.runs import reading

_SUBSET = 1000  # images of a subset of the kernel distance


class RunEvaluation(Evaluation):
    """An `Evaluation` with the settings of a run.

    The extractor "classifier" is trained on the data of the run and stored beside the
    scores, where a resumed run and `keras-sagan evaluate` find it.

    Args:
        config: `RunConfig` with a number for `evaluation.every`.
        output: path of the run's directory. Nothing is written before training begins.
        source: `keras_sagan.data.Source` of the training data.
        strategy: `tf.distribute.Strategy` whose replicas compute the features, or
            `None` for a single device. Its scope must not have been entered.

    Raises:
        ValueError: if a setting is invalid or not possible with these data.
        OSError: if the data or the extractor cannot be read.
    """

    def __init__(self, config, output, source, strategy):
        section = config.evaluation
        selected = Settings(metrics=section.selected_metrics).rows  # takes no time
        for name in (row.name for row in selected if Need.HELD_OUT in row.needs):
            raise ValueError(
                f"Setting `evaluation.metrics` cannot include {name}, which needs "
                "images that were not trained on. Compute it with `keras-sagan "
                "evaluate`."
            )
        naming.parse(section.extractor)
        self._classifier_file = output / reading.CLASSIFIER
        self._new_classifier = None
        real = _real_images(config, source)
        settings = Settings(
            metrics=section.selected_metrics,
            subset_size=min(_SUBSET, section.num_images, real.count),
        )
        check_ahead(real, section.num_images, None, settings)
        super().__init__(
            real,
            self._open(section, source, strategy),
            output / reading.EVALUATION,
            every=section.every,
            num_images=section.num_images,
            seed=section.seed,
            settings=settings,
            monitor=section.monitor,
            mode=section.mode,
            keep_best=section.keep_best,
            patience=section.patience,
            target=section.target,
            share=section.share,
        )

    def set_best_aside(self, after):
        """Renames the best model if it is of a step later than `after`."""
        best = self.directory / BEST
        step = -1
        with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            step = int(json_files.read(best / BEST_ROW)["step"])
        if step > after:
            writing.rename_aside(best)

    def on_train_begin(self, logs=None):
        if self._new_classifier is not None:
            classifier.write(self._classifier_file, *self._new_classifier)
            self._new_classifier = None
        super().on_train_begin(logs)

    def _open(self, section, source, strategy):
        if section.extractor != "classifier":
            return opening.open_extractor(
                section.extractor,
                section.inception,
                "tensorflow1",
                None,
                lambda: classifier.examples_of(source),
                strategy,
            )
        path = self._classifier_file if self._classifier_file.is_file() else None
        model, class_names = classifier.load_or_train(
            path, lambda: classifier.examples_of(source)
        )
        if path is None:
            self._new_classifier = model, class_names
        return opening.open_classifier(model, class_names, strategy)


def of_run(config, output, source, strategy):
    """Returns the prepared `RunEvaluation` of a run, or `None` if it has none.

    With several workers, the chief evaluates on one of its devices, while the others
    wait for it in their next step.

    Args:
        config: `RunConfig`.
        output: path of the run's directory, or `None` on a worker without one.
        source, strategy: as for `RunEvaluation`.

    Raises:
        ValueError: if a setting is invalid or not possible with these data.
    """
    if config.evaluation.every is None or output is None:
        return None
    if strategies.is_multi_worker(strategy):
        strategy = None  # its replicas include those of the other workers
    evaluation = RunEvaluation(config, output, source, strategy)
    evaluation.prepare()
    return evaluation


def _real_images(config, source):
    section = config.evaluation
    split = section.split or config.data.split
    if split != config.data.split:
        source = data.load(
            config.data.dataset,
            image_size=config.model.image_size,
            batch_size=1,
            split=split,
            channels=config.model.channels,
            cache_dir=config.data.cache_dir,
            fit=config.data.fit,
        )
    count = section.num_real
    if count is not None:
        count = min(count, source.num_examples)
    origin = {"dataset": config.data.dataset, "split": split, "fit": config.data.fit}
    return array_images(
        *source.arrays(), origin, count, section.seed, source.class_names
    )
