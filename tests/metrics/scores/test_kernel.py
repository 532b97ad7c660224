"""The kernel distance: equal to torch-fidelity, unbiased, clear where it cannot be."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.metrics.pairwise import rbf_kernel

from keras_sagan.metrics import kernel_distance, median_bandwidth, rbf_distance
from keras_sagan.metrics.scores import kernel
from keras_sagan.metrics.scores.bootstrap import half_masks


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


def squared_mean_discrepancy(x, y, bandwidth):
    """From scikit-learn's kernels, pairs of an image with itself left out."""
    gamma = 1 / (2 * bandwidth**2)
    xx, yy, xy = (
        rbf_kernel(a.astype("f8"), b.astype("f8"), gamma)
        for a, b in ((x, x), (y, y), (x, y))
    )
    n, m = len(x), len(y)
    within = (xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1))
    return within - 2 * xy.mean()


@pytest.mark.parametrize("bandwidth", [1.0, 7.0])
def test_gaussian_kernel_of_scikit_learn(feature_sets, bandwidth, monkeypatch):
    expected = squared_mean_discrepancy(*feature_sets, bandwidth)
    assert rbf_distance(*feature_sets, bandwidth) == pytest.approx(expected, abs=1e-7)
    monkeypatch.setattr(kernel, "_BLOCK", 77)
    assert rbf_distance(*feature_sets, bandwidth) == pytest.approx(expected, abs=1e-7)
    far = [x + np.float32(300) for x in feature_sets]  # float32 about their mean
    assert rbf_distance(*far, bandwidth) == pytest.approx(expected, abs=1e-5)


def test_the_bandwidth_is_the_median_distance(feature_sets):
    real, fake = feature_sets
    median = np.median(pdist(real.astype("f8")))
    assert median_bandwidth(real) == pytest.approx(median, rel=1e-4)
    assert median_bandwidth(real, at_most=300) == pytest.approx(median, rel=0.1)
    assert rbf_distance(real, fake) == pytest.approx(
        squared_mean_discrepancy(real, fake, median), abs=1e-5
    )
    assert median_bandwidth(np.ones((4, 2))) == 1
    with pytest.raises(ValueError, match="`bandwidth` must be above 0"):
        rbf_distance(real, fake, bandwidth=0)


def test_the_gaussian_kernel_sees_what_moments_do_not():
    """Three moments agree: two points at +-1 with weights, and a Gaussian of them."""
    generator = np.random.default_rng(0)
    two = np.where(generator.random((3000, 1)) < 0.5, -1.0, 1.0)
    gaussian = generator.normal(size=(3000, 1))
    assert abs(kernel_distance(two, gaussian, subsets=None).mean) < 0.3
    assert rbf_distance(two, gaussian, bandwidth=0.5) > 0.05
    other = generator.normal(size=(3000, 1))
    assert abs(rbf_distance(other, gaussian, bandwidth=0.5)) < 0.005


@pytest.mark.parametrize("make", [kernel.Cubic, lambda: kernel.Gaussian(3.0, 0.5)])
def test_many_subsets_in_one_pass(feature_sets, make, monkeypatch):
    a, b = (x.astype("f8") for x in feature_sets)
    masks = half_masks(len(a), 4, 0), half_masks(len(b), 4, 1)
    monkeypatch.setattr(kernel, "_BLOCK", 128)
    found = kernel.discrepancy(a, b, make(), *masks)
    for i in range(4):
        (alone,) = kernel.discrepancy(a[masks[0][i]], b[masks[1][i]], make())
        assert found[i] == pytest.approx(alone, rel=1e-5, abs=1e-7)
