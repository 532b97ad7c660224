"""Streaming moments: batches, shards, files."""

import numpy as np
import pytest

from keras_sagan.metrics import Moments, frechet_distance


def features(count=5000, dimensions=6):
    generator = np.random.default_rng(0)
    return (generator.normal(3, 2, (count, dimensions)) + 100).astype(np.float32)


def test_batches_and_shards_are_one_pass():
    x = features()
    whole = Moments.of(x)
    np.testing.assert_allclose(whole.mean, x.mean(0, "f8"), rtol=1e-14)
    np.testing.assert_allclose(whole.covariance, np.cov(x, rowvar=False), rtol=1e-11)
    streamed = Moments(6)
    for start in range(0, len(x), 37):
        streamed.update(x[start : start + 37])
    shards = [Moments.of(x[i::4]) for i in range(4)]
    merged = Moments(6)
    for shard in shards:
        merged.merge(shard)
    for other in (streamed, merged):
        assert other.count == 5000
        np.testing.assert_allclose(other.mean, whole.mean, rtol=1e-12)
        np.testing.assert_allclose(other.covariance, whole.covariance, rtol=1e-10)
    fake = features(3000) * 1.1
    assert frechet_distance(merged, fake) == pytest.approx(
        frechet_distance(x, fake), rel=1e-10
    )


def test_memory_does_not_grow():
    moments = Moments(4)
    for _ in range(300):
        moments.update(features(50, 4))
        assert sum(map(len, moments._waiting)) < 4096
    assert moments.count == 15000


def test_merging_nothing_and_uneven_shards():
    x = features(100)
    moments = Moments(6).merge(Moments(6)).merge(Moments.of(x[:1]))
    moments.merge(Moments(6)).merge(Moments.of(x[1:]))
    np.testing.assert_allclose(moments.covariance, np.cov(x, rowvar=False), rtol=1e-11)


def test_the_file_is_that_of_the_other_tools(tmp_path, peers):
    x, y = features(300), features(200)[::-1] * 1.2
    moments = Moments.of(x)
    moments.save(tmp_path / "x.npz", {"extractor": {"name": "inception"}})
    m, s = peers.pytorch_fid.compute_statistics_of_path(
        str(tmp_path / "x.npz"), None, 50, 6, "cpu"
    )
    np.testing.assert_array_equal(m, moments.mean)
    np.testing.assert_array_equal(s, moments.covariance)
    loaded = Moments.load(tmp_path / "x.npz")
    assert (loaded.count, loaded.protocol["extractor"]["name"]) == (300, "inception")
    np.testing.assert_allclose(loaded.covariance, s, rtol=1e-14)
    loaded.update(y)
    np.testing.assert_allclose(
        loaded.covariance, np.cov(np.concatenate([x, y]), rowvar=False), rtol=1e-9
    )


def test_a_file_of_another_tool(tmp_path):
    """clean-fid writes compressed files without a count."""
    x = features(300)
    np.savez_compressed(
        tmp_path / "x.npz", mu=x.mean(0, "f8"), sigma=np.cov(x, rowvar=False)
    )
    loaded = Moments.load(tmp_path / "x.npz")
    assert loaded.count is None
    assert frechet_distance(loaded, x) < 1e-9
    with pytest.raises(ValueError, match="does not say how many"):
        loaded.update(x)
    with pytest.raises(ValueError, match="does not say how many"):
        Moments.of(x).merge(loaded)


def test_other_files_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", mean=np.zeros(3))
    with pytest.raises(ValueError, match=r"must hold arrays mu and sigma.*\['mean'\]"):
        Moments.load(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", mu=np.zeros(3), sigma=np.eye(4))
    with pytest.raises(ValueError, match=r"sigma must have shape \(3, 3\)"):
        Moments.load(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", mu=np.full(3, np.nan), sigma=np.eye(3))
    with pytest.raises(ValueError, match="`mu` must be finite"):
        Moments.load(tmp_path / "c.npz")


def test_wrong_features():
    with pytest.raises(ValueError, match=r"must have 6 dimensions. Received: 5"):
        Moments(6).update(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="must be finite"):
        Moments(2).update([[1.0, np.inf]])
    with pytest.raises(ValueError, match="at least 2 images"):
        Moments(2).update(np.zeros((1, 2))).covariance  # noqa: B018
