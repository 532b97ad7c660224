"""The kernel distance: equal to torch-fidelity, unbiased, clear where it cannot be."""

import numpy as np
import pytest

from keras_sagan.metrics import kernel_distance
from keras_sagan.metrics.scores import kernel


def theirs(peers, real, fake, **options):
    found = peers.torch_fidelity.metric_kid.kid_features_to_metric(
        peers.torch.from_numpy(fake),
        peers.torch.from_numpy(real),
        verbose=False,
        **options,
    )
    return (
        found["kernel_inception_distance_mean"],
        found["kernel_inception_distance_std"],
    )


def test_equal_to_torch_fidelity(peers, feature_sets):
    real, fake = (x.astype("f8") for x in feature_sets)
    ours = kernel_distance(real, fake, subsets=20, subset_size=100)
    expected = theirs(peers, real, fake, kid_subsets=20, kid_subset_size=100)
    np.testing.assert_allclose(ours, expected, rtol=1e-9)
    other = kernel_distance(real, fake, subsets=20, subset_size=100, seed=1)
    assert abs(other.mean - ours.mean) > 1e-6 * ours.mean  # the seed is used


def test_equal_in_float32(peers, feature_sets):
    """As torch-fidelity has it by default; its sums are float32 then."""
    ours = kernel_distance(*feature_sets, subsets=20, subset_size=100)
    expected = theirs(peers, *feature_sets, kid_subsets=20, kid_subset_size=100)
    np.testing.assert_allclose(ours, expected, rtol=1e-4)


def test_all_images_by_the_definition(feature_sets, monkeypatch):
    real, fake = (x[:40].astype("f8") for x in feature_sets)
    fake = fake[:30]

    def k(x, y):
        return (x @ y / 48 + 1) ** 3

    expected = (
        np.mean([k(x, y) for i, x in enumerate(real) for y in np.delete(real, i, 0)])
        + np.mean([k(x, y) for i, x in enumerate(fake) for y in np.delete(fake, i, 0)])
        - 2 * np.mean([k(x, y) for x in real for y in fake])
    )
    ours = kernel_distance(real, fake, subsets=None)
    assert ours == (pytest.approx(expected, rel=1e-9), 0.0)
    monkeypatch.setattr(kernel, "_BLOCK", 7)
    assert kernel_distance(real, fake, subsets=None) == pytest.approx(ours, rel=1e-12)


def test_without_bias(feature_sets):
    """Of one distribution: about 0 at any size, negative as often as positive."""
    x = feature_sets[0]
    generator = np.random.default_rng(0)
    values = []
    for _ in range(60):
        order = generator.permutation(len(x))
        values.append(kernel_distance(x[order[:20]], x[order[20:60]], None).mean)
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 4 * error
    assert 10 < np.sum(np.array(values) < 0) < 50


def test_identical_and_constant_sets(feature_sets):
    x = feature_sets[0]
    assert kernel_distance(x, x, subsets=None).mean <= 0
    ones = np.ones((5, 3))
    assert kernel_distance(ones, ones, subsets=None).mean == pytest.approx(0, abs=1e-12)


def test_impossible_subsets(feature_sets):
    real, fake = feature_sets
    with pytest.raises(ValueError, match=r"`subset_size`.*at most 500.*smaller set"):
        kernel_distance(real, fake)
    with pytest.raises(ValueError, match=r"`subset_size` must be .* at least 2"):
        kernel_distance(real, fake, subset_size=1)
    with pytest.raises(ValueError, match="`subsets`"):
        kernel_distance(real, fake, subsets=0)
    with pytest.raises(ValueError, match="`real` must be finite"):
        kernel_distance(np.full((5, 2), np.nan), np.zeros((5, 2)))
