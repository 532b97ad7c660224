"""Published weights: how much is read, and what a failure says; see also Inception."""

import hashlib

import pytest

from keras_sagan.metrics.extractors import weights_files


@pytest.fixture
def served(tmp_path):
    """A file to be downloaded: its address and content."""
    path = tmp_path / "served.pth"
    path.write_bytes(b"weights" * 1000)
    return path.as_uri(), path.read_bytes()


def test_no_more_than_the_largest_is_read(served, tmp_path):
    url, content = served
    sha256 = hashlib.sha256(content).hexdigest()
    path = weights_files.download("it", url, sha256, 7000, tmp_path / "a")
    assert path.read_bytes() == content
    assert weights_files.sha256_of(path) == sha256
    with pytest.raises(RuntimeError, match=r"of it .* not .*--weights PATH\), or else"):
        weights_files.download("it", url, "0" * 64, 9000, tmp_path / "b", ", or else")
    assert not list((tmp_path / "b").iterdir())
