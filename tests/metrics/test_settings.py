"""Settings of the metrics: mistakes are known before anything is computed."""

import pytest

from keras_sagan.metrics import Settings
from keras_sagan.metrics.registry import Need


def test_unknown_metrics():
    with pytest.raises(ValueError, match=r"`metrics` must be some of fid.*fdi"):
        Settings(metrics=("fdi",))
    with pytest.raises(ValueError, match=r"`metrics`.*none"):
        Settings(metrics=())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bootstrap", 1),
        ("bootstrap", -2),
        ("subsets", 0),
        ("subset_size", 1),
        ("seeds", 1),
        ("steps", 0),
        ("splits", 0),
        ("nearest_k", 0),
        ("batch_size", 0),
        ("level", 1.0),
    ],
)
def test_values_out_of_range(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be .*{name}={value}"):
        Settings(**{name: value})


def test_what_the_protocol_says():
    assert Settings(metrics=("kid", "prdc"), nearest_k=3).describe() == {
        "kid.subsets": 100,
        "kid.subset_size": 1000,
        "prdc.nearest_k": 3,
    }
    assert Settings().describe() == {}


def test_features_are_kept_where_a_metric_needs_all_of_them():
    assert not Settings(metrics=("fid", "agreement", "is")).keeps_features
    assert Settings(metrics=("fid", "kid")).keeps_features
    assert Settings(bootstrap=2).keeps_features
    assert not Settings(metrics=("utility",)).uses_extractor
    assert Settings(metrics=("utility", "is")).uses_extractor
    assert Need.HELD_OUT in Settings(metrics=("fid", "memorization")).needs
