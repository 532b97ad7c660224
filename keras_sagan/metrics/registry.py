"""The metrics: a row for each, with all that depends on which metric it is.

To add one: its function on arrays in a module of its own, a row here, its test, and
a line in docs/how-to/evaluate.md. Modules of metrics are imported when they are used,
since `keras-sagan --help` lists the names and needs no NumPy for that.
"""

import dataclasses
import enum
from collections.abc import Callable


class Need(enum.Enum):
    """What a metric needs; the value says it to the user."""

    FEATURES = "the real images themselves"  # all at once; else features are streamed
    REAL_LABELS = "labels of the real images"
    FAKE_LABELS = "labels of the generated images"
    HELD_OUT = "`held_out` images (--held-out SPLIT)"
    CLASSIFIER = "the extractor 'classifier', whose classes are the data's"
    LOGITS = "an extractor with class probabilities: inception or classifier"


@dataclasses.dataclass(frozen=True)
class Score:
    """One number that a metric gives.

    Args:
        name: str. Its key in `Values.scores`.
        of_fid_network: str, or `None` for `name`. What it is called with the FID
            network.
        of_others: str, or `None` for `name`. What it is called with another
            extractor, whose name follows.
        higher_is_better: bool.
    """

    name: str
    of_fid_network: str | None = None
    of_others: str | None = None
    higher_is_better: bool = False

    def title(self, extractor):
        """The score's full name, e.g. "fid" or "frechet_distance_classifier".

        Args:
            extractor: `Extractor`. Only with the FID network a score is called FID.
        """
        if extractor.is_fid_network:
            return self.of_fid_network or self.name
        return f"{self.of_others or self.name}_{extractor.name}"


@dataclasses.dataclass(frozen=True)
class Values:
    """What a metric computed.

    Args:
        scores: dict from the name of a `Score` to float.
        by_class: dict from a class index to float, of the first score; empty where
            there are no classes.
        statistic: function from samples to a float, or `None`. For the confidence
            interval of the first score.
        samples: tuple of arrays, one row an image, that `statistic` takes.
    """

    scores: dict
    by_class: dict = dataclasses.field(default_factory=dict)
    statistic: Callable | None = None
    samples: tuple = ()


@dataclasses.dataclass(frozen=True)
class Metric:
    """A row.

    Args:
        name: str. As in `Settings.metrics` and `--metrics`.
        scores: tuple of `Score`; the first is the one that counts.
        compute: function from the `Features` of the real, the generated and the
            held-out images (or `None`) and `Settings` to `Values`.
        needs: frozenset of `Need`.
        check: function from the same sets before their features are known, the
            `Extractor` (or `None` where it is not opened yet) and `Settings`, that
            raises `ValueError` for what `compute` would refuse; or `None`.
        settings: tuple of str. The fields of `Settings` that belong into the protocol.
        interval_needs: frozenset of `Need`. What confidence intervals need beyond.
    """

    name: str
    scores: tuple
    compute: Callable
    needs: frozenset
    check: Callable | None = None
    settings: tuple = ()
    interval_needs: frozenset = frozenset()

    def all_needs(self, intervals):
        """frozenset of `Need`, with those of `intervals` if there are to be any."""
        return self.needs | (self.interval_needs if intervals else frozenset())


def _frechet(real, fake, held_out, settings):
    import functools

    from keras_sagan.metrics.frechet import frechet_distance

    distance = functools.partial(frechet_distance, allow_few=settings.allow_few)
    return Values(
        {"fid": distance(real.moments, fake.moments)},
        statistic=distance,
        samples=(real.features, fake.features),
    )


def _check_frechet(real, fake, extractor, settings):
    from keras_sagan.metrics.frechet import check_counts

    dimensions = _feature_length(extractor)
    check_counts(real.count, fake.count, dimensions, settings.allow_few)


def _kernel_scores(real, fake, held_out, settings):
    from keras_sagan.metrics.kernel import kernel_distance

    mean, deviation = kernel_distance(
        real.features, fake.features, settings.subsets, settings.subset_size
    )
    return Values({"kid": mean, "kid_deviation": deviation})


def _check_kernel(real, fake, extractor, settings):
    from keras_sagan.metrics.kernel import check_subsets

    check_subsets(real.count, fake.count, settings.subsets, settings.subset_size)


def _class_score(real, fake, held_out, settings):
    from keras_sagan.metrics.class_probabilities import inception_score, softmax

    mean, deviation = inception_score(softmax(fake.logits), settings.splits)
    return Values({"is": mean, "is_deviation": deviation})


def _check_class_score(real, fake, extractor, settings):
    from keras_sagan.metrics.class_probabilities import check_splits

    check_splits(settings.splits, fake.count)


def _neighbour_scores(real, fake, held_out, settings):
    from keras_sagan.metrics.precision_recall import precision_recall_density_coverage

    return Values(
        precision_recall_density_coverage(
            real.features, fake.features, settings.nearest_k
        )
    )


def _check_neighbours(real, fake, extractor, settings):
    from keras_sagan.metrics.precision_recall import check_nearest_k

    check_nearest_k(settings.nearest_k, real.count, fake.count)


def _within_classes(real, fake, held_out, settings):
    from keras_sagan.metrics import by_class, classes

    labels = classes.relabel(real.labels, real.class_names, fake.class_names)
    distances = by_class.intra_class_distance(
        real.features, labels, fake.features, fake.labels, settings.allow_few
    )
    mean = sum(distances.values()) / len(distances)
    return Values({"intra_fid": float(mean)}, distances)


def _check_within_classes(real, fake, extractor, settings):
    from keras_sagan.metrics import by_class, classes

    labels = classes.relabel(real.labels, real.class_names, fake.class_names)
    dimensions = _feature_length(extractor)
    by_class.check_classes(labels, fake.labels, dimensions, settings.allow_few)


def _agreement(real, fake, held_out, settings):
    import numpy as np

    from keras_sagan.metrics import by_class, classes

    labels = classes.relabel(fake.labels, fake.class_names, fake.logit_names)
    share, by_output = by_class.classifier_agreement(fake.logits, labels)
    own = {int(x): by_output[int(y)] for x, y in zip(fake.labels, labels, strict=True)}
    agree = fake.logits.argmax(axis=1) == labels
    return Values({"agreement": share}, own, np.mean, (agree,))


def _check_agreement(real, fake, extractor, settings):
    from keras_sagan.metrics import classes

    if extractor is not None:
        classes.relabel(fake.labels, fake.class_names, extractor.class_names)


def _memorization(real, fake, held_out, settings):
    from keras_sagan.metrics.memorisation import memorization_check

    check = memorization_check(fake.features, real.features, held_out.features)
    names = ("share", "score", "distance_ratio", "copies")
    return Values({f"memorization_{x}": float(getattr(check, x)) for x in names})


def _feature_length(extractor):
    return None if extractor is None else extractor.dimensions


_ALL_FEATURES = frozenset({Need.FEATURES})
_LABELS = frozenset({Need.REAL_LABELS, Need.FAKE_LABELS})

METRICS = {
    row.name: row
    for row in (
        Metric(
            "fid",
            (Score("fid", of_others="frechet_distance"),),
            _frechet,
            needs=frozenset(),
            check=_check_frechet,
            interval_needs=_ALL_FEATURES,
        ),
        Metric(
            "kid",
            (Score("kid", of_others="kernel_distance"), Score("kid_deviation")),
            _kernel_scores,
            needs=_ALL_FEATURES,
            check=_check_kernel,
            settings=("subsets", "subset_size"),
        ),
        Metric(
            "is",
            (
                Score("is", "inception_score", "class_score", higher_is_better=True),
                Score("is_deviation"),
            ),
            _class_score,
            needs=frozenset({Need.LOGITS}),
            check=_check_class_score,
            settings=("splits",),
        ),
        Metric(
            "prdc",
            tuple(
                Score(name, higher_is_better=True)
                for name in ("precision", "recall", "density", "coverage")
            ),
            _neighbour_scores,
            needs=_ALL_FEATURES,
            check=_check_neighbours,
            settings=("nearest_k",),
        ),
        Metric(
            "intra_fid",
            (Score("intra_fid", of_others="intra_class_frechet_distance"),),
            _within_classes,
            needs=_ALL_FEATURES | _LABELS,
            check=_check_within_classes,
        ),
        Metric(
            "agreement",
            (Score("agreement", higher_is_better=True),),
            _agreement,
            needs=frozenset({Need.LOGITS, Need.FAKE_LABELS, Need.CLASSIFIER}),
            check=_check_agreement,
        ),
        Metric(
            "memorization",
            tuple(
                Score(f"memorization_{name}")
                for name in ("share", "score", "distance_ratio", "copies")
            ),
            _memorization,
            needs=_ALL_FEATURES | {Need.HELD_OUT},
        ),
    )
}


def higher_is_better(title):
    """bool: whether more is better of a score with this full name.

    Args:
        title: str. What `Score.title` gives, e.g. "recall_classifier".
    """
    names = {
        name: score.higher_is_better
        for metric in METRICS.values()
        for score in metric.scores
        for name in (score.name, score.of_fid_network, score.of_others)
        if name and title.startswith(name)
    }
    return bool(names) and names[max(names, key=len)]
