"""Evaluates images: computes their scores and records the protocol."""

import copy
import dataclasses
import json

import numpy as np

from keras_sagan import progress
from keras_sagan.metrics.extractors.extractor import Extractor, extract
from keras_sagan.metrics.image_sets import ImageSet
from keras_sagan.metrics.moments import Moments
from keras_sagan.metrics.preconditions import check_possible
from keras_sagan.metrics.protocol import build_protocol
from keras_sagan.metrics.registry import Need
from keras_sagan.metrics.scores.bootstrap import interval
from keras_sagan.metrics.scores.by_class import class_table
from keras_sagan.metrics.settings import Settings


@dataclasses.dataclass(frozen=True)
class Result:
    """The result of an evaluation.

    Args:
        scores: dict from the name of a score to float.
        intervals: dict from the name of a score to its confidence interval
            `(low, high)`.
        by_class: dict from a heading to a dict from class index to number.
        protocol: dict. How the scores were measured; see
            `keras_sagan.metrics.protocol`.
        class_names: tuple of str to which the class indices refer, or `None`.
        missed: dict from the name of a score to the controls that it must see but did
            not, according to `audit`; empty without an audit.
        cached: str, or `None`. The file from which it was read, if it was not computed.
        conclusions: tuple of str. Sentences that say what scores mean.
    """

    scores: dict
    intervals: dict
    by_class: dict
    protocol: dict
    class_names: tuple | None = None
    missed: dict = dataclasses.field(default_factory=dict)
    cached: str | None = None
    conclusions: tuple = ()

    @classmethod
    def from_dict(cls, content: dict, cached: str | None = None) -> "Result":
        """Creates a result from a dict of `to_dict`, which may come from JSON.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: if it is another dict.
        """
        names = content["class_names"]
        return cls(
            {name: float(x) for name, x in content["scores"].items()},
            {x: (float(a), float(b)) for x, (a, b) in content["intervals"].items()},
            {
                name: {int(label): x for label, x in column.items()}
                for name, column in content["by_class"].items()
            },
            dict(content["protocol"]),
            None if names is None else tuple(names),
            {name: tuple(x) for name, x in content["missed"].items()},
            cached,
            tuple(content["conclusions"]),
        )

    def to_dict(self) -> dict:
        """Returns the result as a dict of JSON values."""
        return dataclasses.asdict(self)

    def format(self) -> str:
        """Returns the result as text, including the protocol."""
        width = max(map(len, self.scores))
        lines = []
        for name, value in self.scores.items():
            interval = ""
            if name in self.intervals:
                low, high = self.intervals[name]
                interval = f"  [{low:.6g}, {high:.6g}]"
            if name in self.missed:
                interval += f"  (does not see: {', '.join(self.missed[name])})"
            lines.append(f"{name:{width}}  {value:.6g}{interval}")
        if self.by_class:
            lines += ["", class_table(self.by_class, self.class_names)]
        for sentence in self.conclusions:
            lines += ["", sentence]
        if self.cached:
            lines += ["", f"not computed again: read from {self.cached}"]
        lines += ["", "protocol:"]
        for part, content in self.protocol.items():
            lines.append(f"  {part}: {json.dumps(content)}")
        return "\n".join(lines)


@dataclasses.dataclass
class Features:
    """The features of a set of images.

    Args:
        moments: `Moments`.
        features: float32 array `(n, dimensions)`, or `None` if no metric needs it.
        logits: float32 array `(n, classes)`, or `None` if no metric needs it.
        labels: integer array `(n,)`, or `None`.
        class_names: tuple of str to which the labels refer, or `None`.
        logit_names: tuple of str with the classes of the logits, or `None`.
        images: uint8 array `(n, height, width, channels)`, or `None` if no metric
            needs it.
    """

    moments: Moments
    features: np.ndarray | None = None
    logits: np.ndarray | None = None
    labels: np.ndarray | None = None
    class_names: tuple | None = None
    logit_names: tuple | None = None
    images: np.ndarray | None = None


def evaluate(
    real: "ImageSet | Moments | Prepared",
    fake: ImageSet,
    extractor: Extractor,
    settings: Settings | None = None,
    held_out: ImageSet | None = None,
) -> Result:
    """Computes scores of generated images.

    The classes of the two sets and of a classifier are matched by name if both have
    names, and by index otherwise.

    Args:
        real: `ImageSet`, `Moments` of one (for the Frechet distance only), or the
            result of `prepare`.
        fake: `ImageSet` of the generated images.
        extractor: `Extractor`.
        settings: `Settings`. Defaults to the Frechet distance alone.
        held_out: `ImageSet` of real images that were not used in training. It is needed
            for "memorization", "gap" and "utility"; `real` are the training images
            then.

    Returns: `Result`. The names of scores contain that of the extractor. Only with the
        FID network are they called "fid", "kid" and "inception_score".

    Raises:
        ValueError: if a metric is not possible with these sets. The message says what
            it needs.
    """
    settings = settings or Settings()
    check_possible(real, fake, extractor, settings, held_out)
    if isinstance(real, Moments):
        reference, described = Features(real), _of_file(real)
    else:
        if not isinstance(real, Prepared):
            real = prepare(real, extractor, settings)
        reference, described = real.features, real.description
    generated = collect(fake, extractor, settings, "generated images")
    others = None
    if held_out is not None and Need.HELD_OUT in settings.needs:
        others = collect(held_out, extractor, settings, "held-out images")
    scores, intervals, columns, conclusions = _scores(
        reference, generated, others, settings, extractor
    )
    protocol = build_protocol(
        extractor.describe(),
        described,
        fake.description,
        settings.describe(),
        None if held_out is None or others is None else held_out.description,
    )
    names = fake.class_names or reference.class_names or extractor.class_names
    return Result(scores, intervals, columns, protocol, names, conclusions=conclusions)


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Features of the real images, which can be used for several evaluations."""

    features: Features
    description: dict

    @property
    def count(self):
        """int. Number of images."""
        return self.features.moments.count

    @property
    def labels(self):
        """Integer array `(n,)`, or `None`."""
        return self.features.labels

    @property
    def class_names(self):
        """Tuple of str, or `None`."""
        return self.features.class_names


def prepare(real: ImageSet, extractor: Extractor, settings: Settings) -> "Prepared":
    """Extracts the features of an `ImageSet` of real images."""
    features = collect(real, extractor, settings, "real images")
    return Prepared(features, real.description)


def check_ahead(real, count, extractor, settings):
    """Checks whether metrics are possible, as far as that is known without features.

    Args:
        real: `ImageSet`.
        count: int. Number of generated images, whose classes are assumed to be as
            frequent as in `real`.
        extractor: `Extractor`, or `None` if it is not open yet.
        settings: `Settings`.

    Raises:
        ValueError: as for `evaluate`.
    """
    labels = None if real.labels is None else np.resize(real.labels, count)
    generated = dataclasses.replace(real, count=count, labels=labels)
    check_possible(real, generated, extractor, settings)


def rehearse(prepared, count, extractor, settings):
    """Computes all metrics with real images in place of generated ones.

    Thus it is known before training whether `count` generated images can be scored.

    Args:
        prepared: result of `prepare`.
        count: int. Number of generated images.
        extractor: `Extractor`.
        settings: `Settings`.

    Returns: list of str. Names of the scores.

    Raises:
        ValueError: as for `evaluate`.
    """
    real = prepared.features
    rows = np.resize(np.arange(real.moments.count), count)
    moments = copy.copy(real.moments)
    moments.count = count
    parts = (real.features, real.logits, real.labels)
    taken = (None if x is None else x[rows] for x in parts)
    fake = Features(moments, *taken, real.class_names, real.logit_names)
    settings = dataclasses.replace(settings, bootstrap=0)
    check_possible(prepared, Prepared(fake, {}), extractor, settings)
    return list(_scores(real, fake, None, settings, extractor)[0])


def collect(images, extractor, settings, what="images"):
    """Extracts features batch by batch, and keeps only what the metrics need.

    Args:
        images: `ImageSet`.
        extractor: `Extractor`.
        settings: `Settings`.
        what: str. Name of the images when progress is shown.

    Returns: `Features`.
    """
    keeps_logits = Need.LOGITS in settings.needs
    moments, features, logits, pixels = None, [], [], []
    batches = images.batches(settings.batch_size)
    for batch in progress.track(batches, images.count, f"features of {what}", size=len):
        rows, outputs = extract(batch, extractor, settings.batch_size)
        moments = moments or Moments(rows.shape[1])
        moments.update(rows)
        if settings.keeps_features:
            features.append(rows)
        if keeps_logits and outputs is not None:
            logits.append(outputs)
        if Need.PIXELS in settings.needs:
            pixels.append(batch)
    return Features(
        moments,
        np.concatenate(features) if features else None,
        np.concatenate(logits) if logits else None,
        images.labels,
        images.class_names,
        extractor.class_names,
        np.concatenate(pixels) if pixels else None,
    )


def _scores(real, fake, held_out, settings, extractor):
    """Returns scores, intervals and scores of classes by full name, and sentences."""
    scores, intervals, columns, conclusions = {}, {}, {}, []
    for metric in settings.rows:
        values = metric.compute(real, fake, held_out, settings)
        titles = {score.name: score.title(extractor) for score in metric.scores}
        scores |= {titles[name]: values.scores[name] for name in titles}
        columns |= {titles[name]: x for name, x in values.by_class.items()}
        intervals |= {titles[name]: x for name, x in values.intervals.items()}
        if settings.bootstrap and values.resample is not None:
            for name, found in values.resample(settings.bootstrap).items():
                intervals[titles[name]] = interval(
                    found, settings.level, values.scores[name]
                )
        if values.conclusion:
            conclusions.append(values.conclusion)
    return scores, intervals, columns, tuple(conclusions)


def _of_file(moments):
    """Describes reference statistics from a file, for the protocol."""
    unknown = {"dataset": "statistics of an unknown origin", "count": moments.count}
    return (moments.protocol or {}).get("real", unknown)
