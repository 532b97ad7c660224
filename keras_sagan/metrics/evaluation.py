"""`evaluate`: images in, scores with their protocol out."""

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
    """Scores and what they were measured with.

    Args:
        scores: dict from a score's name to float.
        intervals: dict from a score's name to `(low, high)`.
        by_class: dict from a heading to a dict from class index to number.
        protocol: dict. See `keras_sagan.metrics.protocol`.
        class_names: tuple of str that the indices are of, or `None`.
        missed: dict from a score's name to the controls that it must see and did not,
            as `audit` found; empty where that was not asked for.
    """

    scores: dict
    intervals: dict
    by_class: dict
    protocol: dict
    class_names: tuple | None = None
    missed: dict = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict:
        """Everything, as JSON values."""
        return dataclasses.asdict(self)

    def format(self) -> str:
        """The result as text, protocol included."""
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
        lines += ["", "protocol:"]
        for part, content in self.protocol.items():
            lines.append(f"  {part}: {json.dumps(content)}")
        return "\n".join(lines)


@dataclasses.dataclass
class Features:
    """What was extracted from one set.

    Args:
        moments: `Moments`.
        features: float32 array `(n, dimensions)`; `None` where no metric needs all.
        logits: float32 array `(n, classes)`; `None` likewise.
        labels: integer array `(n,)`, or `None`.
        class_names: tuple of str that labels are indices into, or `None`.
        logit_names: tuple of str, the classes of the logits, or `None`.
    """

    moments: Moments
    features: np.ndarray | None = None
    logits: np.ndarray | None = None
    labels: np.ndarray | None = None
    class_names: tuple | None = None
    logit_names: tuple | None = None


def evaluate(
    real: "ImageSet | Moments | Prepared",
    fake: ImageSet,
    extractor: Extractor,
    settings: Settings | None = None,
    held_out: ImageSet | None = None,
) -> Result:
    """Scores generated images.

    Classes of the two sets, and of a classifier, are matched by their names where both
    have names; else by their indices.

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
    check_possible(real, fake, extractor, settings, held_out)
    if isinstance(real, Moments):
        reference, described = Features(real), _of_file(real)
    else:
        if not isinstance(real, Prepared):
            real = prepare(real, extractor, settings)
        reference, described = real.features, real.description
    generated = collect(fake, extractor, settings, "generated images")
    others = None
    if Need.HELD_OUT in settings.needs:
        others = collect(held_out, extractor, settings, "held-out images")
    scores, intervals, columns = _scores(
        reference, generated, others, settings, extractor
    )
    protocol = build_protocol(
        extractor.describe(), described, fake.description, settings.describe()
    )
    names = fake.class_names or reference.class_names or extractor.class_names
    return Result(scores, intervals, columns, protocol, names)


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Features of the real images, to be used for several evaluations."""

    features: Features
    description: dict

    @property
    def count(self):
        """int: images."""
        return self.features.moments.count

    @property
    def labels(self):
        """Integer array `(n,)`, or `None`."""
        return self.features.labels

    @property
    def class_names(self):
        """tuple of str, or `None`."""
        return self.features.class_names


def prepare(real: ImageSet, extractor: Extractor, settings: Settings) -> "Prepared":
    """The features of an `ImageSet` of real images."""
    features = collect(real, extractor, settings, "real images")
    return Prepared(features, real.description)


def check_ahead(real, count, extractor, settings):
    """Raises what `rehearse` would, as far as it is known without features.

    Args:
        real: `ImageSet`.
        count: int. Generated images, of classes as frequent as those of `real`.
        extractor: `Extractor`, or `None` where it is not opened yet.
        settings: `Settings`.

    Raises:
        ValueError: as `evaluate`.
    """
    labels = None if real.labels is None else np.resize(real.labels, count)
    generated = dataclasses.replace(real, count=count, labels=labels)
    check_possible(real, generated, extractor, settings)


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
    """Features of an `ImageSet`, batch by batch; only what the metrics need is kept.

    Args:
        images: `ImageSet`.
        extractor: `Extractor`.
        settings: `Settings`.
        what: str. What their progress is called.
    """
    keeps_logits = Need.LOGITS in settings.needs
    moments, features, logits = None, [], []
    batches = images.batches(settings.batch_size)
    for batch in progress.track(batches, images.count, f"features of {what}", size=len):
        rows, outputs = extract(batch, extractor, settings.batch_size)
        moments = moments or Moments(rows.shape[1])
        moments.update(rows)
        if settings.keeps_features:
            features.append(rows)
        if keeps_logits and outputs is not None:
            logits.append(outputs)
    return Features(
        moments,
        np.concatenate(features) if features else None,
        np.concatenate(logits) if logits else None,
        images.labels,
        images.class_names,
        extractor.class_names,
    )


def _scores(real, fake, held_out, settings, extractor):
    """Scores, their intervals and the columns by class, by the scores' full names."""
    scores, intervals, columns = {}, {}, {}
    for metric in settings.rows:
        values = metric.compute(real, fake, held_out, settings)
        for score in metric.scores:
            scores[score.title(extractor)] = values.scores[score.name]
        main = metric.scores[0].title(extractor)
        if values.by_class:
            columns[main] = values.by_class
        if settings.bootstrap and values.resample is not None:
            for name, found in values.resample(settings.bootstrap).items():
                (score,) = (x for x in metric.scores if x.name == name)
                intervals[score.title(extractor)] = interval(
                    found, settings.level, values.scores[name]
                )
    return scores, intervals, columns


def _of_file(moments):
    """The description of a reference in a file."""
    unknown = {"dataset": "statistics of an unknown origin", "count": moments.count}
    return (moments.protocol or {}).get("real", unknown)
