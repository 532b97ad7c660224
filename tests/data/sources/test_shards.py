import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_sagan.data.pictures import check_usable
from keras_sagan.data.sources import shards

ENDINGS = r"\.bin$"


def touch(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def found(text):
    return [path.name for path in shards.find(str(text), ENDINGS, "x")]


def test_what_a_name_stands_for(tmp_path):
    names = [f"a-{number:03}.bin" for number in (8, 9, 10, 11)]
    touch(tmp_path / "set", *names, "readme.txt", ".a-003.bin")
    assert found(tmp_path / "set") == names
    assert found(tmp_path / "set" / "a-009.bin") == ["a-009.bin"]
    assert found(tmp_path / "set" / "a-{009..011}.bin") == names[1:]
    assert found(touch(tmp_path / "one", "cats.bin")) == ["cats.bin"]


def test_missing_shards_are_named(tmp_path):
    folder = touch(tmp_path / "gap", "a-000.bin", "a-002.bin")
    with pytest.raises(FileNotFoundError, match=r"gap/a-001\.bin is missing: 2 of 3"):
        found(folder)
    folder = touch(tmp_path / "end", "a.bin-00000-of-00003", "a.bin-00001-of-00003")
    with pytest.raises(FileNotFoundError, match=r"a\.bin-00002-of-00003 is missing"):
        shards.find(str(folder), r"\.bin", "x")
    with pytest.raises(FileNotFoundError, match=r"no file .*gap/a-001\.bin"):
        found(tmp_path / "gap" / "a-{000..002}.bin")
    with pytest.raises(FileNotFoundError, match=r"no file .*nowhere"):
        found(tmp_path / "nowhere")


def test_one_set_in_a_folder(tmp_path):
    folder = touch(tmp_path / "set", "train-0.bin", "train-1.bin", "val-0.bin")
    with pytest.raises(ValueError, match=r"several sets \(train-0.bin and val-0.bin\)"):
        found(folder)
    with pytest.raises(ValueError, match=r"holds no shards"):
        found(touch(tmp_path / "empty"))


@pytest.mark.parametrize("braces", ["{3..1}", "{0..99999999999}"])
def test_ranges_that_are_none(tmp_path, braces):
    with pytest.raises(ValueError, match=r"goes upwards, over at most 100000"):
        found(tmp_path / f"a-{braces}.bin")


# === Pictures ===
def write(folder, labels):
    """Two shards of the same number of pictures, one grey each; their `Shard`s."""
    folder.mkdir(exist_ok=True)
    written, half = {}, len(labels) // 2
    for number in (0, 1):
        shard = shards.Shard(folder / f"{number}.bin", None, [], [], [])
        with shard.path.open("wb") as file:
            for row in range(number * half, (number + 1) * half):
                shard.starts.append(file.tell())
                Image.new("L", (8, 8), row).save(file, "BMP")
                shard.sizes.append(file.tell() - shard.starts[-1])
                shard.labels.append(labels[row])
        written[shard.path] = shard
    return written


def opened(written):
    return shards.open_pictures(list(written), written.get, bytes)


def test_pictures_in_any_order(tmp_path):
    pictures = opened(write(tmp_path, [1, 0, 2, 1, 0, 0]))
    assert (pictures.count, pictures.class_names) == (6, ("0", "1", "2"))
    np.testing.assert_array_equal(pictures.labels, [1, 0, 2, 1, 0, 0])
    for row in (5, 0, 3):
        picture = pictures.at(row)
        assert picture.name == f"{tmp_path}/{row // 3}.bin[{row % 3}]"
        assert picture.open().image.getpixel((0, 0)) == row
    assert [x.label for x in pictures.rows(2, 5)] == [2, 1, 0]


@pytest.mark.parametrize(
    ("labels", "names", "expected"),
    [
        (["b", "a", "b", "c"], ("a", "b", "c"), [1, 0, 1, 2]),
        (["10", "9", "9", "9"], ("9", "10"), [1, 0, 0, 0]),
        ([None] * 4, None, None),
        ([0, 3, 0, 3], ("0", "1", "2", "3"), [0, 3, 0, 3]),
    ],
)
def test_classes(tmp_path, labels, names, expected):
    pictures = opened(write(tmp_path, labels))
    assert pictures.class_names == names
    assert (pictures.labels is None) == (expected is None)
    if expected:
        np.testing.assert_array_equal(pictures.labels, expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, None, 1, 1], r"labels of one kind: 3 with a number, 1 with no label"),
        (["a", 1, "b", "b"], r"3 with a name, 1 with a number"),
        ([0, 2**80, 1, 1], r"labels must be below 1000000"),
        (["a", " a", "b", "b"], r"must be single lines without leading"),
        ([], "hold no pictures"),
    ],
)
def test_labels_that_are_none(tmp_path, labels, message):
    pictures = opened(write(tmp_path, labels))
    with pytest.raises(ValueError, match=message):
        check_usable(pictures, "cats")


def test_a_shard_that_changes_while_it_is_read(tmp_path):
    written = write(tmp_path, [None] * 4)
    pictures = opened(written)
    first, second = written
    assert pictures.at(0).open()
    replaced = first.with_suffix(".new")
    replaced.write_bytes(bytes(first.stat().st_size))
    replaced.replace(first)  # the earlier file is open
    assert pictures.at(1).open().image.getpixel((0, 0)) == 1
    second.write_bytes(second.read_bytes())
    os.utime(second, (1, 1))
    with pytest.raises(ValueError, match=r"1\.bin\[0\]: its shard has changed since"):
        pictures.at(2).open()


def test_a_shard_that_cannot_be_read_is_named(tmp_path):
    def read(path):
        raise ValueError("it is empty")

    with pytest.raises(
        ValueError, match=r"the shard .*/0\.bin cannot be read: it is em"
    ):
        shards.open_pictures(list(write(tmp_path, [0, 1])), read, bytes)


def test_fingerprints(tmp_path):
    written = write(tmp_path, [0, 1])
    before = opened(written).fingerprint
    assert opened(written).fingerprint == before
    os.utime(pathlib.Path(next(iter(written))), (1, 1))
    assert opened(written).fingerprint != before
