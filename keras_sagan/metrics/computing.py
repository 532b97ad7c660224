"""Computes each metric from the features of the sets, and checks if that is possible.

These are the functions that `registry.METRICS` names. They import what they use when
they are called, because the registry is also read for `--help`, without NumPy.
"""

import dataclasses
import functools
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Values:
    """The result of a metric.

    Args:
        scores: dict from the name of a `Score` to float.
        by_class: dict from the name of a `Score` to a dict from class index to it;
            empty if the metric has no scores of classes.
        resample: function from a number of resamples to a dict from the name of a
            `Score` to that many values, or `None`. For confidence intervals.
        intervals: dict from the name of a `Score` to `(low, high)`, where a metric
            computes its own.
        conclusion: str. A sentence that says what the scores mean, if there is one.
    """

    scores: dict
    by_class: dict = dataclasses.field(default_factory=dict)
    resample: Callable | None = None
    intervals: dict = dataclasses.field(default_factory=dict)
    conclusion: str = ""


def frechet(real, fake, held_out, settings):
    """Computes the Frechet distance."""
    from keras_sagan.metrics.scores import bootstrap
    from keras_sagan.metrics.scores.frechet import frechet_distance

    distance = functools.partial(frechet_distance, allow_few=settings.allow_few)

    def resample(number):
        sets = (real.features, fake.features)
        return {"fid": bootstrap.resample(distance, *sets, resamples=number)}

    return Values({"fid": distance(real.moments, fake.moments)}, resample=resample)


def check_frechet(real, fake, extractor, settings):
    """Raises a `ValueError` if there are too few images for the dimensions."""
    from keras_sagan.metrics.scores.frechet import check_counts

    dimensions = _feature_length(extractor)
    check_counts(real.count, fake.count, dimensions, settings.allow_few)


def kernel_scores(real, fake, held_out, settings):
    """Computes the kernel distance over subsets."""
    from keras_sagan.metrics.scores import kernel

    mean, deviation = kernel.kernel_distance(
        real.features, fake.features, settings.subsets, settings.subset_size
    )
    resample = functools.partial(_kernel_halves, real, fake, kernel.Cubic, "kid")
    return Values({"kid": mean, "kid_deviation": deviation}, resample=resample)


def gaussian_kernel(real, fake, held_out, settings):
    """Computes the kernel distance with the Gaussian kernel."""
    from keras_sagan.metrics.scores import kernel

    value = kernel.rbf_distance(real.features, fake.features, settings.bandwidth)

    def make():
        return kernel.Gaussian.of(real.features, settings.bandwidth)

    resample = functools.partial(_kernel_halves, real, fake, make, "rbf")
    return Values({"rbf": value}, resample=resample)


def _kernel_halves(real, fake, make_kernel, name, number):
    from keras_sagan.metrics.scores import bootstrap, kernel

    masks = [
        bootstrap.half_masks(x.moments.count, number, seed)
        for seed, x in enumerate((real, fake))
    ]
    sets = (real.features, fake.features)
    return {name: kernel.discrepancy(*sets, make_kernel(), *masks, track=True)}


def sliced_transport(real, fake, held_out, settings):
    """Computes MIND, the transport along random directions."""
    from keras_sagan.metrics.scores import sliced

    sets = (real.features, fake.features, settings.projections)

    def resample(number):
        return {"mind": sliced.monge_distances(*sets, halves=number)}

    return Values({"mind": sliced.monge_distance(*sets)}, resample=resample)


def variety(real, fake, held_out, settings):
    """Computes the Vendi scores of the generated and of the real images."""
    from keras_sagan.metrics.scores import bootstrap
    from keras_sagan.metrics.scores.vendi import vendi_score

    def resample(number):
        values = bootstrap.resample_halves(vendi_score, fake.features, resamples=number)
        return {"vendi": values}

    scores = {
        "vendi": vendi_score(fake.features),
        "vendi_of_real": vendi_score(real.features),
    }
    return Values(scores, resample=resample)


def check_kernel(real, fake, extractor, settings):
    """Raises a `ValueError` if subsets are larger than a set."""
    from keras_sagan.metrics.scores.kernel import check_subsets

    check_subsets(real.count, fake.count, settings.subsets, settings.subset_size)


def class_score(real, fake, held_out, settings):
    """Computes the Inception score, or the class score of a classifier."""
    from keras_sagan.metrics.scores import bootstrap
    from keras_sagan.metrics.scores.class_probabilities import inception_score, softmax

    probabilities = softmax(fake.logits)

    def score(rows):
        return inception_score(rows, settings.splits)

    def resample(number):
        rows = bootstrap.resample(score, probabilities, resamples=number)
        return {"is": rows[:, 0]}

    mean, deviation = score(probabilities)
    return Values({"is": mean, "is_deviation": deviation}, resample=resample)


def check_class_score(real, fake, extractor, settings):
    """Raises a `ValueError` if there are more splits than images."""
    from keras_sagan.metrics.scores.class_probabilities import check_splits

    check_splits(settings.splits, fake.count)


def neighbour_scores(real, fake, held_out, settings):
    """Computes precision, recall, density and coverage."""
    from keras_sagan.metrics.scores import bootstrap, precision_recall

    def scores(*sets):
        return precision_recall.precision_recall_density_coverage(
            *sets, nearest_k=settings.nearest_k
        )

    sets = (real.features, fake.features)
    found = scores(*sets)

    def resample(number):
        rows = bootstrap.resample_halves(
            lambda *halves: list(scores(*halves).values()), *sets, resamples=number
        )
        return dict(zip(found, rows.T, strict=True))

    return Values(found, resample=resample)


def check_neighbours(real, fake, extractor, settings):
    """Raises a `ValueError` if there are too few images for the neighbours."""
    from keras_sagan.metrics.scores.precision_recall import check_nearest_k

    check_nearest_k(settings.nearest_k, real.count, fake.count)


def within_classes(real, fake, held_out, settings):
    """Computes the mean of the Frechet distances within the classes."""
    from keras_sagan.metrics import classes
    from keras_sagan.metrics.scores import by_class

    labels = classes.relabel(real.labels, real.class_names, fake.class_names)
    distances = by_class.intra_class_distance(
        real.features, labels, fake.features, fake.labels, settings.allow_few
    )
    mean = sum(distances.values()) / len(distances)
    return Values({"intra_fid": float(mean)}, {"intra_fid": distances})


def check_within_classes(real, fake, extractor, settings):
    """Raises a `ValueError` if a class has too few images."""
    from keras_sagan.metrics import classes
    from keras_sagan.metrics.scores import by_class

    labels = classes.relabel(real.labels, real.class_names, fake.class_names)
    dimensions = _feature_length(extractor)
    by_class.check_classes(labels, fake.labels, dimensions, settings.allow_few)


def agreement(real, fake, held_out, settings):
    """Computes how often the classifier recognises the requested class."""
    import numpy as np

    from keras_sagan.metrics import classes
    from keras_sagan.metrics.scores import bootstrap, by_class

    labels = classes.relabel(fake.labels, fake.class_names, fake.logit_names)
    share, by_output = by_class.classifier_agreement(fake.logits, labels)
    own = {int(x): by_output[int(y)] for x, y in zip(fake.labels, labels, strict=True)}
    agree = fake.logits.argmax(axis=1) == labels

    def resample(number):
        return {"agreement": bootstrap.resample(np.mean, agree, resamples=number)}

    return Values({"agreement": share}, {"agreement": own}, resample)


def check_agreement(real, fake, extractor, settings):
    """Raises a `ValueError` if the classifier has other classes."""
    from keras_sagan.metrics import classes

    if extractor is not None:
        classes.relabel(fake.labels, fake.class_names, extractor.class_names)


def memorization(real, fake, held_out, settings):
    """Computes to what extent images repeat training images."""
    import numpy as np

    from keras_sagan.metrics.scores import bootstrap
    from keras_sagan.metrics.scores.memorisation import memorization_check

    check = memorization_check(fake.features, real.features, held_out.features)
    names = ("share", "score", "distance_ratio", "copies")

    def resample(number):
        shares = bootstrap.resample(np.mean, check.nearer, resamples=number)
        return {"memorization_share": shares}

    return Values(
        {f"memorization_{x}": float(getattr(check, x)) for x in names},
        resample=resample,
    )


def train_test_gap(real, fake, held_out, settings):
    """Computes how much closer the distribution is to that of the training images."""
    from keras_sagan.metrics.scores import bootstrap
    from keras_sagan.metrics.scores.frechet_gap import frechet_gap

    gap = functools.partial(frechet_gap, allow_few=settings.allow_few)
    sets = (fake.features, real.features, held_out.features)
    names = ("gap", "gap_share")

    def resample(number):
        rows = bootstrap.resample(gap, *sets, resamples=number)
        return dict(zip(names, rows.T, strict=True))

    return Values(dict(zip(names, gap(*sets), strict=True)), resample=resample)


def utility(real, fake, held_out, settings):
    """Computes whether the images help to train a classifier."""
    from keras_sagan.metrics import classes
    from keras_sagan.metrics.utility import utility_check

    result = utility_check(
        *(
            (x.images, classes.relabel(x.labels, x.class_names, fake.class_names))
            for x in (real, fake, held_out)
        ),
        seeds=settings.seeds,
        steps=settings.steps,
        mirror=settings.mirror,
        level=settings.level,
    )
    return Values(
        result.scores,
        result.by_class,
        intervals=result.intervals,
        conclusion=result.conclusion,
    )


def check_utility(real, fake, extractor, settings):
    """Raises a `ValueError` if the classes are others, or if there is only one."""
    from keras_sagan.metrics import classes
    from keras_sagan.metrics.utility import check_classes

    check_classes(classes.relabel(real.labels, real.class_names, fake.class_names))


def _feature_length(extractor):
    return None if extractor is None else extractor.dimensions
