"""The evaluation of a run, from its configuration."""

from keras_sagan import data
from keras_sagan.callbacks.evaluation import Evaluation
from keras_sagan.distributed import strategies
from keras_sagan.files import writing
from keras_sagan.metrics import evaluation as metrics
from keras_sagan.metrics.extractors import classifier, opening
from keras_sagan.metrics.image_sets import array_images

FOLDER = "evaluation"  # in the run's directory
CLASSIFIER = "classifier.keras"  # in that folder

_SUBSET = 1000  # images of a subset of the kernel distance


class RunEvaluation(Evaluation):
    """`Evaluation` with the settings of a run.

    The extractor "classifier" is trained on the data of the run and kept beside the
    scores, for a run that goes on and for `keras-sagan evaluate`.

    Args:
        config: `RunConfig` whose `evaluation.every` is a number.
        output: path. Directory of the run; nothing is written before training.
        source: `keras_sagan.data.Source` that is trained on.
        strategy: `tf.distribute.Strategy` whose replicas compute the features; its
            scope must not be entered yet.

    Raises:
        ValueError: if a setting is not possible.
        OSError: if data or an extractor cannot be read.
    """

    def __init__(self, config, output, source, strategy):
        section = config.evaluation
        directory = output / FOLDER
        metrics.Settings(metrics=section.selected_metrics)  # before anything takes time
        if "memorization" in section.selected_metrics:
            raise ValueError(
                "Setting `evaluation.metrics` cannot have memorization, which needs "
                "images that were not trained on: `keras-sagan evaluate` computes it."
            )
        self._classifier_file = directory / CLASSIFIER
        self._new_classifier = None
        real = _real_images(config, source)
        super().__init__(
            real,
            self._open(section, source, strategy),
            directory,
            every=section.every,
            num_images=section.num_images,
            seed=section.seed,
            settings=metrics.Settings(
                metrics=section.selected_metrics,
                subset_size=min(_SUBSET, section.num_images, real.count),
            ),
            monitor=section.monitor,
            mode=section.mode,
            keep_best=section.keep_best,
            patience=section.patience,
            share=section.share,
        )

    def on_train_begin(self, logs=None):
        if self._new_classifier is not None:
            writing.make_folder(self.directory)
            writing.replace_file(self._classifier_file, self._new_classifier.save)
            self._new_classifier = None
        super().on_train_begin(logs)

    def _open(self, section, source, strategy):
        if section.extractor != "classifier":
            return opening.open_extractor(
                section.extractor,
                section.inception,
                "tensorflow1",
                None,
                source.arrays,
                strategy,
            )
        is_there = self._classifier_file.is_file()
        model = classifier.load_or_train(
            self._classifier_file if is_there else None, source.arrays
        )
        if not is_there:
            self._new_classifier = model
        return opening.open_classifier(model, strategy)


def of_run(config, output, source, strategy):
    """The `RunEvaluation` of a run, ready, or `None` where none is wanted.

    Raises:
        ValueError: if a setting is not possible, or several workers train.
    """
    if config.evaluation.every is None:
        return None
    if strategies.is_multi_worker(strategy):
        raise ValueError(
            "Setting `evaluation.every` must be none where several workers train: they "
            "would wait for the one that evaluates. Use `keras-sagan evaluate` on the "
            f"run's directory. Received: evaluation.every={config.evaluation.every!r}."
        )
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
    described = {"dataset": config.data.dataset, "split": split, "fit": config.data.fit}
    return array_images(*source.arrays(), described, count, section.seed)
