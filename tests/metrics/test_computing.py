"""What the metrics compute from sets of features; numbers are tested in `scores/`."""

import numpy as np
import pytest

from keras_sagan.metrics import Moments, Settings, registry
from keras_sagan.metrics.evaluation import Features
from keras_sagan.metrics.scores import bootstrap


def features_of(array):
    """`Features` of a classifier with 4 outputs: labels, logits and all."""
    labels = np.arange(len(array)) % 2
    logits = np.eye(4)[labels] + array[:, :4]
    names = ("a", "b")
    images = np.uint8(
        100 * labels[:, None, None, None] + np.arange(64).reshape(8, 8, 1)
    )
    moments, of_logits = Moments.of(array), (*names, "c", "d")
    return Features(moments, array, logits, labels, names, of_logits, images)


@pytest.fixture(scope="module")
def sets(feature_sets):
    real, fake = feature_sets
    return features_of(real[:300]), features_of(fake[:250]), features_of(real[300:])


SETTINGS = Settings(subset_size=100, subsets=4, allow_few=True, seeds=2, steps=2)


@pytest.mark.parametrize("metric", registry.METRICS.values(), ids=lambda x: x.name)
def test_every_row_gives_the_scores_that_it_names(metric, sets):
    values = metric.compute(*sets, SETTINGS)
    assert list(values.scores) == [score.name for score in metric.scores]
    assert np.isfinite(list(values.scores.values())).all()
    if metric.check is not None:
        metric.check(*sets_as_images(sets), None, SETTINGS)


@pytest.mark.parametrize(
    "metric",
    [x for x in registry.METRICS.values() if x.name not in ("intra_fid", "utility")],
    ids=lambda row: row.name,
)
def test_intervals_hold_the_score(metric, sets):
    values = metric.compute(*sets, SETTINGS)
    found = values.resample(8)
    assert metric.scores[0].name in found
    for name, resampled in found.items():
        assert resampled.shape == (8,) and resampled.std() > 0, name
        low, high = bootstrap.interval(resampled, 0.95, values.scores[name])
        assert low < values.scores[name] < high


def sets_as_images(sets):
    """What the checks look at: counts, labels and names."""
    from keras_sagan.metrics.evaluation import Prepared

    return [Prepared(x, {}) for x in sets[:2]]
