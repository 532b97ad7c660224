"""`keras-sagan evaluate`: scores generated images, and records the protocol."""

import dataclasses
import functools
import pathlib
import sys

from keras_sagan import progress
from keras_sagan.cli import model_argument, outputs
from keras_sagan.cli.commands import evaluate_options
from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.model_argument import add_model
from keras_sagan.cli.parsing import local_path
from keras_sagan.cli.startup import start_tensorflow
from keras_sagan.files import paths, writing
from keras_sagan.metrics import protocol, registry

_NUM_IMAGES = 10_000

_DESCRIPTION = """
Scores the images of a model, or of folder:PATH, by comparing them with real ones. With
split:NAME, it scores a split of --dataset instead, which shows how much the scores vary
between sets of real images. MODEL can also be the JSON file of an earlier result, which
is then compared with another one (--against).
Only the published FID network (--extractor inception) gives FID; scores from any other
extractor carry its name.
"""


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "evaluate",
        help="score generated images",
        description=_DESCRIPTION,
        examples=(
            "runs/cats --dataset folder:cats --json scores.json",
            "split:test --dataset tfds:cifar10 --metrics fid,kid",
            "new.json --against scores.json",
        ),
    )
    add_model(parser, f"{model_argument.ANY}; or what is described above")
    evaluate_options.add_metrics(parser)
    parser.add_argument(
        "--json", type=local_path, metavar="FILE", help="write the result as JSON"
    )
    parser.add_argument(
        "--against",
        type=local_path,
        metavar="FILE",
        help="compare with the JSON of an earlier result",
    )
    parser.add_argument(
        "--ignore-protocol",
        action="store_true",
        help="compare even if the protocols differ",
    )
    parser.add_argument(
        "--audit",
        action="store_true",
        help="first test every score on control sets, made from the real images with "
        "known faults; scores that do not see a fault that they should see are marked",
    )
    outputs.add_force(parser)
    evaluate_options.add_images(parser.add_argument_group("images"))
    evaluate_options.add_extractor(parser.add_argument_group("extractor"))
    evaluate_options.add_settings(parser.add_argument_group("settings of the metrics"))
    evaluate_options.add_sweep(parser.add_argument_group("truncation sweep"))
    parser.set_defaults(run=run)


def run(options):
    """Scores images, or compares two earlier results."""
    with user_errors(), progress.display():
        if options.model.endswith(".json"):
            if not options.against:
                raise ValueError(
                    "A result can only be compared with another one: pass --against."
                )
            _compare(protocol.read_result(options.model), options)
            return
        settings = evaluate_options.check(options)
        if options.against:  # checked before the long computation
            protocol.read_result(options.against)
        start_tensorflow()
        job = _Job(options, settings)
        if options.truncation_sweep:
            _sweep(job, options)
            return
        result = job.evaluate(options.truncation)
        if job.audit is not None:
            print(job.audit.format(), end="\n\n")
            result = dataclasses.replace(result, missed=job.audit.missed)
        print(result.format())
        if options.json:
            _write_json(options.json, result.to_dict())
        if options.against:
            _compare(result.to_dict(), options)


class _Job:
    """An evaluation: the images, data and extractor that the options name, opened."""

    def __init__(self, options, settings):
        from keras_sagan.cli.commands import evaluate_images
        from keras_sagan.distributed import strategies

        self.options, self.settings = options, settings
        self.strategy = strategies.create_strategy(options.strategy)
        self._sources = {}  # from split to data, because decoding takes long
        with self.strategy.scope():
            self.scored = evaluate_images.open_scored(
                options.model,
                options.image_size,
                options.cache_dir,
                options.dataset,
                options.fit or "crop",
            )
        self.fit = options.fit or self.scored.fit
        self.split = options.split or "train"
        self.held_out = None
        if options.held_out:
            self.held_out = self.image_set(options.held_out)
        self.real = self.real_images()
        self.cache = None if options.no_cache else _open_cache(options.cache_dir)
        self.prepared = self.extractor = self.audit = None

    def load(self, split):
        """Loads a split of the data set at the size of the scored images."""
        from keras_sagan import data

        options = self.options
        if not options.dataset:
            raise ValueError("The real images are needed: pass --dataset.")
        if split not in self._sources:
            self._sources[split] = data.load(
                options.dataset,
                image_size=options.image_size or self.scored.image_size,
                split=split,
                cache_dir=options.cache_dir,
                batch_size=1,
                channels=self.scored.channels,
                fit=self.fit,
            )
        return self._sources[split]

    def image_set(self, split, count=None):
        """Returns a split as an `ImageSet`."""
        from keras_sagan.metrics.image_sets import array_images

        source = self.load(split)
        name = self.options.dataset
        description = {"dataset": name, "split": split, "fit": self.fit}
        return array_images(
            *source.arrays(), description, count, class_names=source.class_names
        )

    def generated(self, truncation):
        """Returns the images to be scored."""
        options = self.options
        count = options.num_images or self.scored.count or _NUM_IMAGES
        num_classes = options.num_classes
        if num_classes is None and options.dataset and self.scored.needs_classes:
            num_classes = self.load(self.split).num_classes
        return self.scored.images(count, options.seed, truncation, num_classes)

    def evaluate(self, truncation):
        """Returns the `Result` at a truncation.

        The features of the real images are extracted only once.
        """
        from keras_sagan.metrics import evaluation

        fake = self.generated(truncation)
        if self.extractor is None:
            self.open_extractor(fake)

        def compute():
            return evaluation.evaluate(
                self.prepare(), fake, self.extractor, self.settings, self.held_out
            )

        result = self.answer(evaluation.Result, compute, fake, self.held_out)
        description = {**result.protocol, "model": fake.description.get("model")}
        return dataclasses.replace(result, protocol=description)

    def answer(self, kind, compute, fake=None, held_out=None):
        """Returns a stored `Result` or `Audit` if there is one, or computes it."""
        from keras_sagan.metrics import result_cache

        if self.cache is None:
            return compute()
        question = result_cache.question(
            self.real, fake, self.extractor, self.settings, held_out
        )
        return self.cache.answer(question, kind.from_dict, compute)

    def open_extractor(self, fake):
        """Opens the extractor, and audits the scores if that is wanted.

        Everything that can be checked without the extractor is checked before.
        """
        from keras_sagan.metrics import preconditions
        from keras_sagan.metrics.audit import Audit, audit
        from keras_sagan.metrics.extractors import classifier, opening
        from keras_sagan.metrics.moments import Moments

        check = functools.partial(
            preconditions.check_possible,
            self.real,
            fake,
            settings=self.settings,
            held_out=self.held_out,
        )
        check(extractor=None)
        options = self.options
        if self.settings.uses_extractor:
            self.extractor = opening.open_extractor(
                self.extractor_name(),
                options.weights,
                options.resize,
                options.features,
                lambda: classifier.examples_of(self.load("train")),
                self.strategy,
            )
        else:
            self.extractor = opening.no_extractor()
        check(extractor=self.extractor)
        if options.audit:
            self.audit = self.answer(
                Audit, lambda: audit(self.real, self.extractor, self.settings)
            )
        if not isinstance(self.real, Moments):
            if options.reference_stats:
                self.prepare()
        elif self.real.protocol is None:
            print(
                f"warning: {options.reference_stats!r} does not say how it was made. "
                "The score is FID only if it was made with the FID network and "
                f"--resize {self.extractor.resize}.",
                file=sys.stderr,
            )

    def extractor_name(self):
        """Returns the name in the options, or that of a classifier in the cache."""
        from keras_sagan.metrics.extractors import classifier
        from keras_sagan.metrics.image_sets import array_images

        name = self.options.extractor
        if name != "classifier" or self.cache is None:
            return name
        images, labels, names = classifier.examples_of(self.load("train"))
        examples = array_images(images, labels, class_names=names)
        return f"classifier:{self.cache.classifier_file(examples)}"

    def real_images(self):
        """Returns the moments in the file if it exists, or else the real images."""
        from keras_sagan.metrics.moments import Moments

        path = self.options.reference_stats
        if path and pathlib.Path(path).is_file():
            moments = Moments.load(path)
            _check_reference(moments, self.options)
            return moments
        return self.image_set(self.split, self.options.num_real)

    def prepare(self):
        """Returns the features of the real images, or the moments in the file.

        New moments are written to the file of `--reference-stats`.
        """
        from keras_sagan.metrics import evaluation
        from keras_sagan.metrics.moments import Moments

        if isinstance(self.real, Moments):
            return self.real
        if self.prepared is None:
            self.prepared = evaluation.prepare(self.real, self.extractor, self.settings)
            if path := self.options.reference_stats:
                origin = {"extractor": self.extractor.describe()}
                origin["real"] = self.prepared.description
                self.prepared.features.moments.save(path, origin)
        return self.prepared


def _open_cache(cache_dir):
    """Returns the `ResultCache`, or `None` after a warning if it cannot be used."""
    from keras_sagan.metrics import result_cache

    try:
        folder = paths.local(cache_dir) if cache_dir else paths.own_cache()
        return result_cache.ResultCache(folder / result_cache.FOLDER)
    except (OSError, ValueError) as error:  # a ValueError if there is no home directory
        print(f"warning: results are not stored: {error}", file=sys.stderr)
        return None


def _check_reference(moments, options):
    """Raises a `ValueError` if options contradict the file of reference statistics."""
    origin = (moments.protocol or {}).get("real")
    origin = origin if isinstance(origin, dict) else {}
    for name, value in (
        ("dataset", options.dataset),
        ("split", options.split),
        ("num_real", options.num_real),
        ("fit", options.fit),
        ("image_size", options.image_size),
    ):
        stored = origin.get("count" if name == "num_real" else name)
        same = _same_data(stored, value) if name == "dataset" else stored == value
        if value is not None and not same:
            flag = f"--{name.replace('_', '-')}"
            says = "does not say" if stored is None else f"says {stored!r}"
            raise ValueError(
                f"The statistics in {options.reference_stats!r} are used as they are, "
                f"so {flag} must be left out or agree with the file. To compute new "
                f"ones, give the name of a file that does not exist. Received: {flag} "
                f"{value}, and the file {says}."
            )


def _same_data(first, second):
    """Returns whether two names of data sets mean the same, e.g. by the same path."""
    if first == second or not isinstance(first, str) or second is None:
        return first == second
    (kind, _, path), (other_kind, _, other) = (
        name.partition(":") for name in (first, second)
    )
    paths = [pathlib.Path(x).expanduser().resolve() for x in (path, other)]
    return bool(path and other) and kind == other_kind and paths[0] == paths[1]


def _sweep(job, options):
    """Prints the results at each truncation, and writes them as JSON and a PNG."""
    from keras_sagan.metrics.truncation import Sweep
    from keras_sagan.visualize.curves import save_curve

    thresholds = options.truncation_sweep
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


def _compare(result, options):
    """Prints the scores of both results; raises an error if the protocols differ."""
    other = protocol.read_result(options.against)
    rows = protocol.compare_results(result, other, options.ignore_protocol)
    print(f"\ncompared with {options.against}:")
    for name, (this, that) in rows.items():
        verdict = registry.verdict(name, this, that)
        print(
            f"{name}  {this:.6g}  {that:.6g}  difference {this - that:+.6g}"
            + (f" ({verdict})" if verdict else "")
        )


def _write_json(path, content):
    writing.make_folder(pathlib.Path(path).parent)
    writing.replace_file(path, writing.json_text(content))
