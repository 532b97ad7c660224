import numpy as np
import pytest

from keras_sagan.data import slicing
from keras_sagan.data.pictures import Picture, Pictures

COUNTS = {"train": 20, "test": 7}
ROWS = {"train": range(20), "test": range(100, 107)}


def pictures(split, with_places=True):
    def at(row):
        return Picture(str(ROWS[split][row]), row % 3, None)

    labels = np.arange(COUNTS[split]) % 3 if with_places else None
    return Pictures(
        COUNTS[split],
        ("a", "b", "c"),
        3,
        lambda start, stop: map(at, range(start, stop)),
        at if with_places else None,
        labels,
        fingerprint=split,
    )


@pytest.mark.parametrize(
    ("split", "names"),
    [
        ("train", range(20)),
        ("test", range(100, 107)),
        ("train[:10%]", range(2)),
        ("train[5:]", range(5, 20)),
        ("train[-3:]", range(17, 20)),
        ("train[50%:60%]", range(10, 12)),
        ("train[:3]+test[:2]+train[18:]", [0, 1, 2, 100, 101, 18, 19]),
    ],
)
@pytest.mark.parametrize("with_places", [True, False])
def test_slices(split, names, with_places):
    splits = {name: pictures(name, with_places) for name in COUNTS}
    found = slicing.take(splits, split, "cats")
    names = list(map(str, names))
    assert [picture.name for picture in found] == names
    assert found.count == len(names)
    assert [x.name for x in found.rows(1, len(names) - 1)] == names[1:-1]
    assert (found.at is None) == (not with_places)
    if with_places:
        assert [found.at(row).name for row in range(len(names))] == names
        labels = [found.at(row).label for row in range(len(names))]
        np.testing.assert_array_equal(found.labels, labels)


def test_fingerprints_tell_slices_apart():
    splits = {name: pictures(name) for name in COUNTS}
    names = ("train", "train[:3]", "train[:4]", "train[:3]+test")
    assert len({slicing.take(splits, x, "cats").fingerprint for x in names}) == 4


@pytest.mark.parametrize(
    "split", ["valid", "train[", "train[:x]", "train[30:]", "train[:300%]", ""]
)
def test_what_is_no_slice(split):
    with pytest.raises(ValueError, match=r"one of \['test', 'train'\] .* for 'cats'"):
        slicing.parse(split, COUNTS, "cats")


@pytest.mark.parametrize("split", ["train[:0]", "train[:1%]", "train[5:5]"])
def test_empty_slices(split):
    with pytest.raises(ValueError, match=r"`split` of 'cats' has no examples"):
        slicing.parse(split, COUNTS, "cats")
