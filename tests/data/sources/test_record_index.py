import numpy as np
import pytest

from keras_sagan.data.sources import record_index


@pytest.mark.parametrize("labels", [[3, 0, 1, 2, 1], None])
def test_it_comes_back(tmp_path, labels):
    content = record_index.content([700, 80], labels)
    assert content == record_index.content([700, 80], labels)
    (tmp_path / "index.npz").write_bytes(content)
    labelled = labels is not None
    sizes, found = record_index.read(tmp_path / "index.npz", [3, 2], labelled)
    assert sizes == [700, 80]
    np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize(
    ("lengths", "labelled"), [([3, 3], True), ([5], True), ([3, 2], False)]
)
def test_of_other_shards(tmp_path, lengths, labelled):
    path = tmp_path / "index.npz"
    path.write_bytes(record_index.content([700, 80], [3, 0, 1, 2, 1]))
    with pytest.raises(ValueError, match=r"index\.npz is not the index of these"):
        record_index.read(path, lengths, labelled)


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_damaged(tmp_path, keep):
    path = tmp_path / "index.npz"
    path.write_bytes(record_index.content([700, 80])[:keep])
    with pytest.raises(ValueError, match=r"index\.npz cannot be read"):
        record_index.read(path, [3, 2], False)
