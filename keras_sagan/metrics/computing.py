"""What each metric computes, and what it refuses, from the features of the sets.

The functions that `registry.METRICS` names. They import what they use when they are
called: the registry is read for the help, without NumPy.
"""

import dataclasses
from collections.abc import Callable


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


def frechet(real, fake, held_out, settings):
    """The Frechet distance."""
    import functools

    from keras_sagan.metrics.scores.frechet import frechet_distance

    distance = functools.partial(frechet_distance, allow_few=settings.allow_few)
    return Values(
        {"fid": distance(real.moments, fake.moments)},
        statistic=distance,
        samples=(real.features, fake.features),
    )


def check_frechet(real, fake, extractor, settings):
    """Refuses fewer images than dimensions."""
    from keras_sagan.metrics.scores.frechet import check_counts

    dimensions = _feature_length(extractor)
    check_counts(real.count, fake.count, dimensions, settings.allow_few)


def kernel_scores(real, fake, held_out, settings):
    """The kernel distance, over subsets."""
    from keras_sagan.metrics.scores.kernel import kernel_distance

    mean, deviation = kernel_distance(
        real.features, fake.features, settings.subsets, settings.subset_size
    )
    return Values({"kid": mean, "kid_deviation": deviation})


def check_kernel(real, fake, extractor, settings):
    """Refuses subsets larger than a set."""
    from keras_sagan.metrics.scores.kernel import check_subsets

    check_subsets(real.count, fake.count, settings.subsets, settings.subset_size)


def class_score(real, fake, held_out, settings):
    """The Inception score, or the class score of a classifier."""
    from keras_sagan.metrics.scores.class_probabilities import inception_score, softmax

    mean, deviation = inception_score(softmax(fake.logits), settings.splits)
    return Values({"is": mean, "is_deviation": deviation})


def check_class_score(real, fake, extractor, settings):
    """Refuses more splits than images."""
    from keras_sagan.metrics.scores.class_probabilities import check_splits

    check_splits(settings.splits, fake.count)


def neighbour_scores(real, fake, held_out, settings):
    """Precision, recall, density and coverage."""
    from keras_sagan.metrics.scores.precision_recall import (
        precision_recall_density_coverage,
    )

    return Values(
        precision_recall_density_coverage(
            real.features, fake.features, settings.nearest_k
        )
    )


def check_neighbours(real, fake, extractor, settings):
    """Refuses more neighbours than images."""
    from keras_sagan.metrics.scores.precision_recall import check_nearest_k

    check_nearest_k(settings.nearest_k, real.count, fake.count)


def within_classes(real, fake, held_out, settings):
    """The mean of the Frechet distances within the classes."""
    from keras_sagan.metrics import classes
    from keras_sagan.metrics.scores import by_class

    labels = classes.relabel(real.labels, real.class_names, fake.class_names)
    distances = by_class.intra_class_distance(
        real.features, labels, fake.features, fake.labels, settings.allow_few
    )
    mean = sum(distances.values()) / len(distances)
    return Values({"intra_fid": float(mean)}, distances)


def check_within_classes(real, fake, extractor, settings):
    """Refuses classes with too few images."""
    from keras_sagan.metrics import classes
    from keras_sagan.metrics.scores import by_class

    labels = classes.relabel(real.labels, real.class_names, fake.class_names)
    dimensions = _feature_length(extractor)
    by_class.check_classes(labels, fake.labels, dimensions, settings.allow_few)


def agreement(real, fake, held_out, settings):
    """How often the classifier sees the class that was asked for."""
    import numpy as np

    from keras_sagan.metrics import classes
    from keras_sagan.metrics.scores import by_class

    labels = classes.relabel(fake.labels, fake.class_names, fake.logit_names)
    share, by_output = by_class.classifier_agreement(fake.logits, labels)
    own = {int(x): by_output[int(y)] for x, y in zip(fake.labels, labels, strict=True)}
    agree = fake.logits.argmax(axis=1) == labels
    return Values({"agreement": share}, own, np.mean, (agree,))


def check_agreement(real, fake, extractor, settings):
    """Refuses a classifier of other classes."""
    from keras_sagan.metrics import classes

    if extractor is not None:
        classes.relabel(fake.labels, fake.class_names, extractor.class_names)


def memorization(real, fake, held_out, settings):
    """Whether images repeat the training images."""
    from keras_sagan.metrics.scores.memorisation import memorization_check

    check = memorization_check(fake.features, real.features, held_out.features)
    names = ("share", "score", "distance_ratio", "copies")
    return Values({f"memorization_{x}": float(getattr(check, x)) for x in names})


def _feature_length(extractor):
    return None if extractor is None else extractor.dimensions
