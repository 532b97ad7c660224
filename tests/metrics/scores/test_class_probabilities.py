"""The Inception score: equal to torch-fidelity, bounds, degenerate rows."""

import numpy as np
import pytest

from keras_sagan.metrics import inception_score, softmax


def logits(count=503, classes=7):
    return np.random.default_rng(0).normal(size=(count, classes)).astype("f4") * 3


@pytest.mark.parametrize("splits", [1, 10])
def test_equal_to_torch_fidelity(peers, splits):
    x = logits()
    expected = peers.torch_fidelity.metric_isc.isc_features_to_metric(
        peers.torch.from_numpy(x), splits=splits
    )
    ours = inception_score(softmax(x), splits)
    np.testing.assert_allclose(ours.mean, expected["inception_score_mean"], rtol=1e-10)
    np.testing.assert_allclose(
        ours.deviation, expected["inception_score_std"], rtol=1e-7, atol=1e-12
    )
    unshuffled = peers.torch_fidelity.metric_isc.isc_features_to_metric(
        peers.torch.from_numpy(x), splits=splits, shuffle=False
    )["inception_score_mean"]
    assert inception_score(softmax(x), splits, seed=None).mean == pytest.approx(
        unshuffled, rel=1e-10
    )


def test_bounds():
    """Sure and varied: the number of classes. All alike, or unsure: 1."""
    sure = np.eye(5)[np.arange(50) % 5]
    assert inception_score(sure, splits=1).mean == pytest.approx(5)
    assert inception_score(sure[:1].repeat(50, 0)).mean == pytest.approx(1)
    assert inception_score(np.full((50, 5), 0.2)).mean == pytest.approx(1)


def test_softmax_of_large_logits():
    np.testing.assert_allclose(softmax([[1e4, 1e4, -1e4]]), [[0.5, 0.5, 0]])


def test_impossible_input():
    p = softmax(logits(8))
    with pytest.raises(ValueError, match=r"`splits`.*at most 8 \(the number of images"):
        inception_score(p)
    with pytest.raises(ValueError, match="rows that sum to 1"):
        inception_score(logits())
    with pytest.raises(ValueError, match="rows that sum to 1"):
        inception_score(p * 2)
    with pytest.raises(ValueError, match="must be finite"):
        inception_score(np.full((20, 2), np.nan))
