"""`evaluate`: images in, scores with their protocol out."""

import copy
import dataclasses
import functools
import json

import numpy as np

from keras_sagan.metrics import by_class
from keras_sagan.metrics.bootstrap import bootstrap_interval
from keras_sagan.metrics.class_probabilities import inception_score, softmax
from keras_sagan.metrics.extractors.extractor import extract
from keras_sagan.metrics.frechet import frechet_distance
from keras_sagan.metrics.kernel import kernel_distance
from keras_sagan.metrics.memorisation import memorization_check
from keras_sagan.metrics.moments import Moments
from keras_sagan.metrics.precision_recall import precision_recall_density_coverage
from keras_sagan.metrics.preconditions import check_possible
from keras_sagan.metrics.protocol import build_protocol, score_name

METRICS = ("fid", "kid", "is", "prdc", "intra_fid", "agreement", "memorization")

# Those that need all features of a set at once; the others are streamed.
_KEEP = {"kid", "prdc", "intra_fid", "memorization"}


@dataclasses.dataclass(frozen=True)
class Settings:
    """The metrics' own settings; see the functions that compute them.

    Args:
        metrics: tuple of str out of `METRICS`.
        subsets: int or `None`. Of the kernel distance.
        subset_size: int. Likewise.
        splits: int. Of the Inception score.
        nearest_k: int. Of precision, recall, density and coverage.
        allow_few: bool. Of the Frechet distance.
        bootstrap: int. Resamples for confidence intervals; 0 for none.
        level: float. Of the intervals.
        batch_size: int. Images computed at once; in no protocol.
    """

    metrics: tuple = ("fid",)
    subsets: int | None = 100
    subset_size: int = 1000
    splits: int = 10
    nearest_k: int = 5
    allow_few: bool = False
    bootstrap: int = 0
    level: float = 0.95
    batch_size: int = 64

    def __post_init__(self):
        unknown = sorted(set(self.metrics) - set(METRICS))
        if unknown or not self.metrics:
            raise ValueError(
                f"`metrics` must be some of {', '.join(METRICS)}. "
                f"Received: {', '.join(unknown) or 'none'}."
            )

    def describe(self):
        """dict for the protocol: the settings that the metrics asked for use."""
        used = {
            "kid": ("subsets", "subset_size"),
            "is": ("splits",),
            "prdc": ("nearest_k",),
        }
        return {
            f"{metric}.{name}": getattr(self, name)
            for metric, names in used.items()
            if metric in self.metrics
            for name in names
        }


@dataclasses.dataclass(frozen=True)
class Result:
    """Scores and what they were measured with.

    Args:
        scores: dict from a score's name to float.
        intervals: dict from a score's name to `(low, high)`.
        by_class: dict from a heading to a dict from class index to number.
        protocol: dict. See `keras_sagan.metrics.protocol`.
    """

    scores: dict
    intervals: dict
    by_class: dict
    protocol: dict

    def to_dict(self):
        """Everything, as JSON values."""
        return dataclasses.asdict(self)

    def format(self, class_names=None):
        """The result as text, protocol included."""
        width = max(map(len, self.scores))
        lines = []
        for name, value in self.scores.items():
            interval = ""
            if name in self.intervals:
                low, high = self.intervals[name]
                interval = f"  [{low:.6g}, {high:.6g}]"
            lines.append(f"{name:{width}}  {value:.6g}{interval}")
        if self.by_class:
            lines += ["", by_class.class_table(self.by_class, class_names)]
        lines += ["", "protocol:"]
        for part, content in self.protocol.items():
            lines.append(f"  {part}: {json.dumps(content)}")
        return "\n".join(lines)


@dataclasses.dataclass
class Features:
    """What was extracted from one set."""

    moments: Moments
    features: np.ndarray | None
    logits: np.ndarray | None
    labels: np.ndarray | None


def evaluate(real, fake, extractor, settings=None, held_out=None):
    """Scores generated images.

    Args:
        real: `ImageSet`, or `Moments` of one (Frechet distance only), or what
            `prepare` made of one.
        fake: `ImageSet`.
        extractor: `Extractor`.
        settings: `Settings`. Defaults to the Frechet distance alone.
        held_out: `ImageSet` of real images that were not trained on, for
            "memorization" (`real` are the training images then).

    Returns: `Result`. Scores are named after the extractor; only those of the FID
        network are called "fid", "kid", "inception_score".

    Raises:
        ValueError: if the sets do not allow a metric; the message names what does.
    """
    settings = settings or Settings()
    check_possible(real, fake, extractor, settings.metrics, held_out)
    if not isinstance(real, Moments | Prepared):
        real = prepare(real, extractor, settings)
    found = collect(fake, extractor, settings)
    if isinstance(real, Moments):
        reference, described = Features(real, None, None, None), _of_file(real)
    else:
        reference, described = real.features, real.description
    name = _names(extractor)
    scores, intervals, columns = _scores(reference, found, settings, name)
    if "memorization" in settings.metrics:
        others = collect(held_out, extractor, settings)
        check = memorization_check(found.features, reference.features, others.features)
        for part in ("share", "score", "distance_ratio", "copies"):
            scores[name(f"memorization_{part}")] = float(getattr(check, part))
    protocol = build_protocol(
        extractor.describe(), described, fake.description, settings.describe()
    )
    return Result(scores, intervals, columns, protocol)


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Features of the real images, to be used for several evaluations."""

    features: Features
    description: dict

    @property
    def labels(self):
        """Integer array `(n,)`, or `None`."""
        return self.features.labels


def prepare(real, extractor, settings):
    """The features of an `ImageSet` of real images."""
    return Prepared(collect(real, extractor, settings), real.description)


def rehearse(prepared, count, extractor, settings):
    """Names of the scores that `count` generated images would have.

    Every metric is computed with real images in place of generated ones, so that
    what could not be scored is known before there are any.

    Args:
        prepared: what `prepare` returned.
        count: int. Generated images.
        extractor: `Extractor`.
        settings: `Settings`.

    Raises:
        ValueError: as `evaluate`.
    """
    real = prepared.features
    check_possible(prepared, prepared, extractor, settings.metrics, None)
    rows = np.resize(np.arange(real.moments.count), count)
    moments = copy.copy(real.moments)
    moments.count = count
    parts = (real.features, real.logits, real.labels)
    fake = Features(moments, *(None if x is None else x[rows] for x in parts))
    settings = dataclasses.replace(settings, bootstrap=0)
    return list(_scores(real, fake, settings, _names(extractor))[0])


def collect(images, extractor, settings):
    """Features of an `ImageSet`, batch by batch; only what the metrics need is kept."""
    wanted = set(settings.metrics)
    keep = wanted & _KEEP or ("fid" in wanted and settings.bootstrap)
    keep_logits = wanted & {"is", "agreement"}
    moments, features, logits = None, [], []
    for batch in images.batches(settings.batch_size):
        found, scores = extract(batch, extractor, settings.batch_size)
        moments = moments or Moments(found.shape[1])
        moments.update(found)
        if keep:
            features.append(found)
        if keep_logits and scores is not None:
            logits.append(scores)
    return Features(
        moments,
        np.concatenate(features) if features else None,
        np.concatenate(logits) if logits else None,
        images.labels,
    )


def _scores(real, fake, settings, name):
    """Scores, their intervals and the columns by class."""
    scores, intervals, columns = {}, {}, {}

    def interval(metric, statistic, *samples):
        if settings.bootstrap:
            intervals[name(metric)] = bootstrap_interval(
                statistic,
                *samples,
                resamples=settings.bootstrap,
                level=settings.level,
            )

    for metric in settings.metrics:
        if metric == "fid":
            few = settings.allow_few
            distance = functools.partial(frechet_distance, allow_few=few)
            scores[name(metric)] = distance(real.moments, fake.moments)
            if real.features is not None and fake.features is not None:
                interval(metric, distance, real.features, fake.features)
        elif metric == "kid":
            distance = kernel_distance(
                real.features, fake.features, settings.subsets, settings.subset_size
            )
            scores[name(metric)] = distance.mean
            scores[name("kid_deviation")] = distance.deviation
        elif metric == "is":
            score = inception_score(softmax(fake.logits), settings.splits)
            scores[name(metric)], scores[name("is_deviation")] = score
        elif metric == "prdc":
            found = precision_recall_density_coverage(
                real.features, fake.features, settings.nearest_k
            )
            scores.update({name(part): value for part, value in found.items()})
        elif metric == "intra_fid":
            each = by_class.intra_class_distance(
                real.features,
                real.labels,
                fake.features,
                fake.labels,
                settings.allow_few,
            )
            scores[name(metric)] = float(np.mean(list(each.values())))
            columns[name(metric)] = each
        elif metric == "agreement":
            share, each = by_class.classifier_agreement(fake.logits, fake.labels)
            scores[name(metric)] = share
            columns[name(metric)] = each
            agree = fake.logits.argmax(axis=1) == fake.labels
            interval(metric, np.mean, agree)
    return scores, intervals, columns


def _names(extractor):
    """Function from a metric to the name of its score."""
    return functools.partial(
        score_name, extractor=extractor.name, is_fid_network=extractor.is_fid_network
    )


def _of_file(moments):
    """The description of a reference in a file."""
    if moments.protocol is not None:
        return moments.protocol["real"]
    return {"dataset": "statistics of an unknown origin", "count": moments.count}
