"""The Frechet distance: equal to three other tools; singular and degenerate sets."""

import numpy as np
import pytest
import scipy.linalg

from keras_sagan.metrics import Moments, frechet_distance
from keras_sagan.metrics.scores.frechet import trace_of_root

# What the other tools ask of SciPy.
sqrtm_warns = pytest.mark.filterwarnings("ignore:The `disp` argument")


def moments_of(features):
    return features.astype("f8").mean(0), np.cov(features, rowvar=False)


@sqrtm_warns
def test_equal_to_the_other_tools(peers, feature_sets):
    real, fake = feature_sets
    ours = frechet_distance(real, fake)
    (m1, s1), (m2, s2) = moments_of(real), moments_of(fake)
    fidelity = peers.torch_fidelity.metric_fid.fid_statistics_to_metric(
        {"mu": m1, "sigma": s1}, {"mu": m2, "sigma": s2}, False
    )["frechet_inception_distance"]
    cleanfid = peers.cleanfid.fid_from_feats(real, fake)
    pytorch_fid = peers.pytorch_fid.calculate_frechet_distance(m1, s1, m2, s2)
    assert ours > 1
    np.testing.assert_allclose([fidelity, cleanfid, pytorch_fid], ours, rtol=1e-6)


def test_of_two_gaussians_that_are_known():
    """Diagonal covariances: sum of (m1 - m2)^2 + (s1 - s2)^2."""
    grid = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]]) * np.sqrt(3 / 4)
    real = grid * [2, 3] + [1, 0]
    fake = grid * [5, 1]
    assert frechet_distance(real, fake) == pytest.approx(1 + 9 + 4, rel=1e-12)


def test_equal_sets_are_at_distance_zero(feature_sets):
    """Also singular ones, where a root of the product is off by 1e-6."""
    real = feature_sets[0]
    assert frechet_distance(real, real) < 1e-12
    assert frechet_distance(real[:10], real[:10], allow_few=True) < 1e-10


@sqrtm_warns
def test_few_images(peers, feature_sets):
    real, fake = feature_sets[0][:20], feature_sets[1][:30]
    with pytest.raises(ValueError, match=r"`real` must have more.*48 dim.*allow_few"):
        frechet_distance(real, fake)
    with pytest.raises(ValueError, match=r"`fake` must have more.*Received: 48"):
        frechet_distance(feature_sets[0], feature_sets[1][:48])
    # The exact value by the singular values of the centred features themselves.
    a, b = real - real.mean(0), fake - fake.mean(0)
    a, b = a.astype("f8") / np.sqrt(19), b.astype("f8") / np.sqrt(29)
    expected = (
        ((real.mean(0, "f8") - fake.mean(0, "f8")) ** 2).sum()
        + (a**2).sum()
        + (b**2).sum()
        - 2 * np.linalg.svd(a @ b.T, compute_uv=False).sum()
    )
    ours = frechet_distance(real, fake, allow_few=True)
    assert ours == pytest.approx(expected, rel=1e-5)
    theirs = peers.cleanfid.fid_from_feats(real, fake)
    assert ours == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize("which", ["real", "fake", "both"])
def test_singular_covariances(feature_sets, which):
    """A constant feature and a repeated one change nothing but the mean's part."""

    def singular(x):
        return np.concatenate([x[:, :1], x, np.full((len(x), 2), 7.0)], axis=1)

    def regular(x, seed):
        noise = np.random.default_rng(seed).normal(size=(len(x), 3))
        return np.concatenate([noise, x], axis=1)[:, [0, *range(3, 51), 1, 2]]

    real, fake = feature_sets
    real = singular(real) if which in ("real", "both") else regular(real, 0)
    fake = singular(fake) if which in ("fake", "both") else regular(fake, 1)
    s1, s2 = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = scipy.linalg.sqrtm(s1 + 1e-12 * np.eye(51))
    inner = scipy.linalg.sqrtm(root @ (s2 + 1e-12 * np.eye(51)) @ root)
    assert trace_of_root(s1, s2) == pytest.approx(np.trace(inner).real, rel=1e-5)
    assert np.isfinite(frechet_distance(real, fake))


def test_constant_features():
    real, fake = np.ones((10, 3)), np.full((12, 3), 3.0)
    assert frechet_distance(real, fake) == 12
    assert frechet_distance(real, real) == 0


def test_what_cannot_be_compared(feature_sets):
    real, fake = feature_sets
    broken = fake.copy()
    broken[[3, 8], 5] = np.nan
    with pytest.raises(ValueError, match=r"`fake` must be finite.*2 of 500.*row 3"):
        frechet_distance(real, broken)
    with pytest.raises(ValueError, match="48 and 47 dimensions"):
        frechet_distance(real, fake[:, :47])
    with pytest.raises(ValueError, match="`real` must have at least 2 rows"):
        frechet_distance(real[:1], fake)
    with pytest.raises(ValueError, match=r"shape \(images, dimensions\)"):
        frechet_distance(real[0], fake)


def test_of_moments(feature_sets):
    real, fake = feature_sets
    assert frechet_distance(Moments.of(real), fake) == frechet_distance(real, fake)


def test_far_from_zero(feature_sets):
    """An offset of 1e4 must not cost digits: what streaming sums of squares do."""
    real, fake = (x.astype("f8") for x in feature_sets)
    expected = frechet_distance(real, fake)
    assert frechet_distance(real + 1e4, fake + 1e4) == pytest.approx(expected, 1e-9)


@sqrtm_warns
def test_many_images_beside_another_tool(peers):
    generator = np.random.default_rng(0)
    real, fake = generator.standard_normal((2, 20000, 24), np.float32)
    fake = np.float32(1.2) * fake + np.float32(1)
    theirs = peers.cleanfid.fid_from_feats(real, fake)
    assert frechet_distance(real, fake) == pytest.approx(theirs, rel=1e-4)
