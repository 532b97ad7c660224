"""Precision, recall, density, coverage: equal to prdc; which way they point."""

import numpy as np
import pytest

from keras_sagan.metrics import precision_recall_density_coverage
from keras_sagan.metrics.scores import neighbours

NAMES = ["precision", "recall", "density", "coverage"]


def clusters(count, centres, seed, spread=1.0):
    generator = np.random.default_rng(seed)
    points = np.repeat(np.asarray(centres, float), count, axis=0)
    return points + generator.normal(0, spread, points.shape)


@pytest.mark.parametrize("k", [3, 5])
def test_equal_to_prdc(peers, feature_sets, k, monkeypatch):
    expected = peers.prdc.compute_prdc(*feature_sets, k)
    ours = precision_recall_density_coverage(*feature_sets, k)
    assert ours == pytest.approx({x: float(expected[x]) for x in NAMES}, rel=1e-12)
    assert 0 < ours["precision"] < 1 and 0 < ours["recall"] < 1
    monkeypatch.setattr(neighbours, "_BLOCK", 3000)
    assert precision_recall_density_coverage(*feature_sets, k) == ours


def test_near_torch_fidelity(peers, feature_sets):
    """Its definition counts equally near points too, which random ones never are."""
    real, fake = (peers.torch.from_numpy(x.astype("f8")) for x in feature_sets)
    expected = peers.torch_fidelity.metric_prc.prc_features_to_metric(
        fake, real, verbose=False
    )
    ours = precision_recall_density_coverage(*feature_sets, 3)
    assert ours["precision"] == pytest.approx(expected["precision"], abs=1e-6)
    assert ours["recall"] == pytest.approx(expected["recall"], abs=1e-6)


CENTRES = [[0, 0, 0], [30, 0, 0], [0, 30, 0]]


def test_a_lost_class_lowers_recall_and_coverage():
    real = clusters(100, CENTRES, 0)
    whole = precision_recall_density_coverage(real, clusters(100, CENTRES, 1))
    part = precision_recall_density_coverage(real, clusters(150, CENTRES[:2], 1))
    for name in ("recall", "coverage"):
        assert whole[name] > 0.85
        assert part[name] == pytest.approx(whole[name] * 2 / 3, abs=0.06)
    for name in ("precision", "density"):
        assert part[name] == pytest.approx(whole[name], abs=0.1)


def test_noise_lowers_precision_and_density():
    real = clusters(100, CENTRES, 0)
    clean = precision_recall_density_coverage(real, clusters(100, CENTRES, 1))
    noisy = clusters(100, CENTRES, 1, spread=4.0)
    noisy = precision_recall_density_coverage(real, noisy)
    assert noisy["precision"] < clean["precision"] - 0.3
    assert noisy["density"] < clean["density"] - 0.5
    assert noisy["recall"] > 0.8


def test_swapping_real_and_fake_swaps_precision_and_recall(feature_sets):
    ours = precision_recall_density_coverage(*feature_sets)
    swapped = precision_recall_density_coverage(*feature_sets[::-1])
    assert (swapped["recall"], swapped["precision"]) == (
        ours["precision"],
        ours["recall"],
    )
    assert ours["precision"] != ours["recall"]


def test_identical_and_constant_sets(peers, feature_sets):
    """The nearest neighbour of a point lies inside its ball; a ball of radius 0 is
    empty, so that constant features score 0 (prdc: as well)."""
    x = feature_sets[0]
    ours = precision_recall_density_coverage(x, x)
    assert ours == pytest.approx(
        {"precision": 1, "recall": 1, "density": 1, "coverage": 1}
    )
    ones = np.ones((20, 3))
    constant = precision_recall_density_coverage(ones, ones)
    assert constant == {x: float(peers.prdc.compute_prdc(ones, ones, 5)[x])
                        for x in NAMES}  # fmt: skip
    assert set(constant.values()) == {0.0}


def test_impossible_input(feature_sets):
    real, fake = feature_sets
    with pytest.raises(ValueError, match=r"`nearest_k`.*at most 3 .*smaller set"):
        precision_recall_density_coverage(real, fake[:4])
    with pytest.raises(ValueError, match="`nearest_k`"):
        precision_recall_density_coverage(real, fake, 0)
    with pytest.raises(ValueError, match="`fake` must be finite"):
        precision_recall_density_coverage(real, fake * np.nan)
