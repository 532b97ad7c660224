"""`keras-sagan evaluate`: scores of a generator or a folder, with their protocol."""

import functools
import pathlib

from keras_sagan.cli import evaluate_options
from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.startup import start_tensorflow
from keras_sagan.files import writing

_DESCRIPTION = """
Scores images against real ones. MODEL is a run directory, a model directory, an
exported SavedModel, folder:PATH with images, split:NAME (of --dataset: the noise of
the scores themselves), or the JSON file of an earlier result.
Only the published FID network (--extractor inception) gives FID; scores of any other
extractor carry its name.
"""


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "evaluate", help="score generated images", description=_DESCRIPTION
    )
    parser.add_argument("model", metavar="MODEL", help="what to score; see above")
    parser.add_argument(
        "--metrics",
        default="fid",
        metavar="NAMES",
        help="comma-separated, out of "
        f"{evaluate_options.METRICS} (default: %(default)s)",
    )
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON")
    parser.add_argument(
        "--against", metavar="FILE", help="compare with the JSON of an earlier result"
    )
    parser.add_argument(
        "--force", action="store_true", help="compare although the protocols differ"
    )
    evaluate_options.add_images(parser.add_argument_group("images"))
    evaluate_options.add_extractor(parser.add_argument_group("extractor"))
    evaluate_options.add_settings(parser.add_argument_group("settings of the metrics"))
    evaluate_options.add_sweep(parser.add_argument_group("truncation sweep"))
    parser.set_defaults(run=run)


def run(options):
    """Scores, or compares two earlier results."""
    with user_errors():
        if options.model.endswith(".json"):
            from keras_sagan.metrics import protocol

            if not options.against:
                raise ValueError("A result is compared with another: pass --against.")
            _compare(protocol.read_result(options.model), options)
            return
        evaluate_options.check(options)
        start_tensorflow()
        job = _Job(options)
        if options.truncation_sweep:
            _sweep(job, options)
            return
        result = job.evaluate(options.truncation)
        print(result.format(job.class_names))
        if options.json:
            _write_json(options.json, result.to_dict())
        if options.against:
            _compare(result.to_dict(), options)


class _Job:
    """What the options ask for, opened."""

    def __init__(self, options):
        from keras_sagan.distributed import strategies
        from keras_sagan.metrics.evaluation import Settings

        self.options = options
        strategy = strategies.create_strategy(options.strategy)
        self.settings = Settings(
            metrics=_metrics(options),
            subsets=options.kid_subsets or None,
            subset_size=options.kid_subset_size,
            nearest_k=options.nearest_k,
            allow_few=options.allow_few,
            bootstrap=options.bootstrap,
            batch_size=options.batch_size,
        )
        self._sources = {}  # by split: decoding takes long
        with strategy.scope():
            self.scored = _open(options)
        self.class_names = self.scored.class_names
        self.fit = options.fit or self.scored.fit
        load_training = functools.partial(self.load, "train")
        self.extractor = _extractor(options, load_training, strategy)
        self.real = None

    def load(self, split):
        """A split of the data set, at the size of the scored images."""
        from keras_sagan import data

        options = self.options
        if not options.dataset:
            raise ValueError("The real images are needed: pass --dataset.")
        if split in self._sources:
            return self._sources[split]
        size = options.image_size or self.scored.image_size
        source = data.load(
            options.dataset, image_size=size, split=split, cache_dir=options.cache_dir,
            batch_size=1, channels=self.scored.channels,
            fit=self.fit,
        )  # fmt: skip
        self.class_names = self.class_names or source.class_names
        self._sources[split] = source
        return source

    def image_set(self, split, count=None):
        """A split as an `ImageSet`."""
        from keras_sagan.metrics.image_sets import array_images

        source = self.load(split)
        name = self.options.dataset
        described = {"dataset": name, "split": split, "fit": self.fit}
        return array_images(*source.arrays(), described, count)

    def generated(self, truncation):
        """The images to be scored."""
        options = self.options
        count = options.num_images or self.scored.count or 10000
        num_classes = options.num_classes
        if num_classes is None and options.dataset and self.scored.needs_classes:
            num_classes = self.load(options.split).num_classes
        return self.scored.images(count, options.seed, truncation, num_classes or None)

    def evaluate(self, truncation):
        """One `Result`; the real images are read and extracted once."""
        from keras_sagan.metrics import evaluation, preconditions

        held_out = None
        if self.options.held_out:
            held_out = self.image_set(self.options.held_out)
        fake = self.generated(truncation)
        if self.real is None:
            real = self.real_images()
            preconditions.check_possible(
                real, fake, self.extractor, self.settings.metrics, held_out
            )
            self.real = self.prepared(real)
        return evaluation.evaluate(
            self.real, fake, self.extractor, self.settings, held_out
        )

    def real_images(self):
        """The moments of the file if it exists, else the real images."""
        from keras_sagan.metrics.moments import Moments

        path = self.options.reference_stats
        if path and pathlib.Path(path).is_file():
            return Moments.load(path)
        return self.image_set(self.options.split, self.options.num_real)

    def prepared(self, real):
        """Features of the real images; their moments are written if asked for."""
        from keras_sagan.metrics import evaluation
        from keras_sagan.metrics.moments import Moments

        if isinstance(real, Moments):
            return real
        prepared = evaluation.prepare(real, self.extractor, self.settings)
        if path := self.options.reference_stats:
            described = self.extractor.describe()
            protocol = {"extractor": described, "real": prepared.description}
            prepared.features.moments.save(path, protocol)
        return prepared


def _sweep(job, options):
    """Results along the truncation, as a table, JSON and a PNG."""
    from keras_sagan.metrics.truncation import Sweep
    from keras_sagan.visualize.curves import save_curve

    thresholds = [_threshold(word) for word in options.truncation_sweep.split(",")]
    results = [job.evaluate(threshold) for threshold in thresholds]
    sweep = Sweep(tuple(thresholds), tuple(results))
    for threshold, result in zip(thresholds, results, strict=True):
        scores = "  ".join(f"{name} {x:.5g}" for name, x in result.scores.items())
        print(f"truncation {threshold if threshold else 'none'}: {scores}")
    if options.json:
        _write_json(options.json, [result.to_dict() for result in results])
    if options.sweep_png:
        points = sweep.curve("recall", "precision")
        save_curve(options.sweep_png, points, "recall", "precision", job.extractor.name)
        print(options.sweep_png)


def _open(options):
    from keras_sagan.cli import evaluate_images

    return evaluate_images.open_scored(
        options.model,
        options.image_size,
        options.cache_dir,
        options.dataset,
        options.fit or "crop",
    )


def _extractor(options, load_training, strategy):
    from keras_sagan.metrics.extractors import opening

    return opening.open_extractor(
        options.extractor,
        options.inception,
        options.resize,
        options.features,
        lambda: load_training().arrays(),
        strategy,
    )


def _compare(result, options):
    """Prints both results' scores; refuses where the protocols differ."""
    from keras_sagan.metrics import protocol

    other = protocol.read_result(options.against)
    rows = protocol.compare_results(result, other, options.force)
    print(f"\ncompared with {options.against}:")
    for name, (this, that) in rows.items():
        print(f"{name}  {this:.6g}  {that:.6g}  difference {this - that:+.6g}")


def _metrics(options):
    metrics = tuple(x.strip() for x in options.metrics.split(",") if x.strip())
    if options.sweep_png and "prdc" not in metrics:
        return (*metrics, "prdc")
    return metrics


def _threshold(word):
    return None if word.strip().lower() == "none" else float(word)


def _write_json(path, content):
    writing.make_folder(pathlib.Path(path).parent)
    writing.replace_file(path, writing.json_text(content))
