"""Prepared sets that stay in their files, whole and harmed."""

import os
import pathlib
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from keras_sagan.data import load, prepare
from keras_sagan.data.preparing import preparation
from keras_sagan.data.sources import record_index
from keras_sagan.distributed import strategies

COUNT = 23


def write_pictures(root, first):
    for i in range(COUNT):
        values = np.random.default_rng(first + i).integers(0, 256, (8, 8, 3), np.uint8)
        path = root / "ab"[i % 3 == 0] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Two prepared sets of five shards, of equal size and other pictures."""
    root = tmp_path_factory.mktemp("records")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparation, "SHARD_PICTURES", 5)
        for name, first in (("one", 0), ("two", 100)):
            write_pictures(root / f"{name}-in", first)
            prepare(f"folder:{root}/{name}-in", root / name, 8)
    return root


@pytest.fixture
def copy(prepared, tmp_path):
    """A set that a test may harm."""
    return shutil.copytree(prepared / "one", tmp_path / "set")


def shards(directory):
    return sorted(directory.glob("*array_record*"))


def opened(directory, split="train", **arguments):
    arguments = {"batch_size": 4, "data_memory": 0, **arguments}
    return load(f"tfds:{directory}", 8, split=split, **arguments)


@pytest.mark.parametrize(
    "split", ["train", "train[:10%]", "train[7:]", "train[:3]+train[-4:]"]
)
def test_slices_stream_as_the_decoded_ones(prepared, split):
    whole_images, whole_labels = load(f"folder:{prepared}/one-in", 8, 1).arrays()
    rows = np.arange(COUNT)
    rows = {
        "train": rows,
        "train[:10%]": rows[:2],
        "train[7:]": rows[7:],
        "train[:3]+train[-4:]": np.concatenate([rows[:3], rows[-4:]]),
    }[split]
    source = opened(prepared / "one", split, batch_size=2)
    images, labels = source.arrays()
    assert images.are_png
    np.testing.assert_array_equal(images[:], whole_images[rows])
    np.testing.assert_array_equal(labels, whole_labels[rows])
    decoded = opened(prepared / "one", split, batch_size=2, data_memory=1)
    streams = [x.stream(3).take(9).as_numpy_iterator() for x in (source, decoded)]
    for found, expected in zip(*streams, strict=True):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])


def test_without_an_index_labels_are_read(copy):
    known = opened(copy).arrays()[1]
    (copy / record_index.FILE).unlink()
    np.testing.assert_array_equal(opened(copy).arrays()[1], known)


def test_another_programs_set(tmp_path):
    """As TFDS writes it itself."""
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)
    tfds.dataset_builders.store_as_tfds_dataset(
        name="mine",
        version="1.0.0",
        features=tfds.features.FeaturesDict(
            {
                "label": tfds.features.ClassLabel(num_classes=3),
                "image": tfds.features.Image(shape=(8, 8, 3)),
                "note": tfds.features.Text(),
            }
        ),
        split_datasets={
            "train": [(0, {"image": images[0], "label": 0, "note": ""})],
            "test": [
                (i, {"image": x, "label": i % 3, "note": "x"})
                for i, x in enumerate(images)
            ],
        },
        data_dir=str(tmp_path),
        disable_shuffling=True,
        file_format="array_record",
    )
    for memory in (0, 1):
        source = load(
            "tfds:mine", 8, 2, "test", cache_dir=str(tmp_path), data_memory=memory
        )
        np.testing.assert_array_equal(source.arrays()[0][:], images)
        np.testing.assert_array_equal(source.arrays()[1], [0, 1, 2, 0, 1, 2])


def test_only_what_is_asked_for_is_opened(copy):
    source = opened(copy)
    kept = shards(copy)[1]
    for path in shards(copy):
        if path != kept:
            path.unlink()
    images = source.arrays()[0]
    assert images[5:10].shape == (5, 8, 8, 3)
    with pytest.raises(OSError, match="-00000-of-00005"):
        images[4]


def bytes_read():
    """By this process, from the disk or from the system's memory."""
    text = pathlib.Path("/proc/self/io").read_text()
    return int(re.search(r"rchar: (\d+)", text)[1])


def open_files(directory):
    """Numbers of the shards in a directory that this process has open."""
    links = pathlib.Path("/proc/self/fd").iterdir()
    names = [os.readlink(link) for link in links if link.is_symlink()]
    return sorted(
        int(re.search(r"-(\d+)-of-", name)[1])
        for name in names
        if name.startswith(f"{directory}/")
    )


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    """A prepared set of 200 pictures, 30 to a shard."""
    root = tmp_path_factory.mktemp("larger")
    images = np.random.default_rng(0).integers(0, 256, (200, 64, 64, 3), np.uint8)
    np.savez(root / "x.npz", images=images)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparation, "SHARD_PICTURES", 30)
        prepare(f"npz:{root}/x.npz", root / "set", 64)
    return root / "set"


@pytest.mark.parametrize(
    ("parts", "opened"),
    [
        (1, [range(7), range(7), range(7)]),
        (2, [range(7), range(4), range(3, 7)]),  # shard 3 has pictures of both parts
    ],
)
def test_each_worker_reads_the_records_of_its_rows(larger, tmp_path, parts, opened):
    """Of two workers each reads half of the bytes, and together they see the stream.

    With as many parts as workers, each opens only the shards of its part.
    """
    found, counted = [], []
    for (workers, worker), own in zip(((1, 0), (2, 0), (2, 1)), opened, strict=True):
        copy = tmp_path / f"{worker}-of-{workers}"
        shutil.copytree(larger, copy, copy_function=os.link)  # for files of its own
        source = load(f"tfds:{copy}", 64, 20, seed=3, data_memory=0, parts=parts)
        context = tf.distribute.InputContext(workers, worker, workers)
        batches = strategies.stream_of(source, 0, context).take(10)
        assert not open_files(copy)
        _ = source.arrays()[0][np.array(own) * 30]  # opens them
        before = bytes_read()
        found.append(np.stack(list(batches.as_numpy_iterator())))
        counted.append(bytes_read() - before)
        assert open_files(copy) == list(own)
    np.testing.assert_array_equal(np.concatenate(found[1:], axis=1), found[0])
    # Noise is not compressed. Up to two batches are read ahead.
    whole, *halves = (count / (20 * 64 * 64 * 3) for count in counted)
    assert 10 <= whole < 12 * 1.1
    for half in halves:
        assert 5 <= half < 6 * 1.1


# === Harm, before ===
def truncate(directory):
    path = shards(directory)[2]
    path.write_bytes(path.read_bytes()[:-9])


def remove(directory):
    shards(directory)[2].unlink()


def exchange(directory):
    """Of the same size, and with other labels."""
    a, b = shards(directory)[0], shards(directory)[-2]
    content = a.read_bytes()
    assert len(content) == b.stat().st_size
    a.write_bytes(b.read_bytes())
    b.write_bytes(content)


def flip(directory):
    """A bit of a picture."""
    path = shards(directory)[2]
    content = bytearray(path.read_bytes())
    content[content.find(b"\x89PNG") + 90] ^= 16
    path.write_bytes(content)


def wrong_labels(directory):
    path = directory / record_index.FILE
    with np.load(path) as index:
        sizes, labels = index["sizes"], index["labels"]
    path.write_bytes(record_index.content(sizes, 1 - labels))


def short_index(directory):
    path = directory / record_index.FILE
    path.write_bytes(record_index.content([1], [0]))


def no_zip(directory):
    (directory / record_index.FILE).write_text("index")


@pytest.mark.parametrize(
    ("harm", "at_once", "named"),
    [
        (truncate, True, r"00002-of-00005: it has \d+ bytes, but was written with"),
        (remove, True, "00002-of-00005: there is no such file"),
        (exchange, False, "of-00005: a picture has label [01] instead of [01]"),
        (flip, False, "00002-of-00005: .*Error"),
        (wrong_labels, False, "of-00005: a picture has label [01] instead of [01]"),
        (short_index, True, r"index\.npz is not the index of these shards"),
        (no_zip, True, r"index\.npz cannot be read"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_harm_is_named(copy, harm, at_once, named):
    harm(copy)
    if at_once:
        with pytest.raises(ValueError, match=named):
            opened(copy)
        return
    images = opened(copy).arrays()[0]
    with pytest.raises(OSError, match=named):
        images[:]
    assert str(copy) in str(images.failure)


# === Harm, meanwhile ===
def test_a_shard_that_is_replaced_is_the_earlier_one(prepared, copy):
    """A file that is open stays what it was, whatever has its name now."""
    images = opened(copy).arrays()[0]
    expected = images[:]
    for path, other in zip(shards(copy), shards(prepared / "two"), strict=True):
        shutil.copyfile(other, path.with_suffix(".new"))
        os.replace(path.with_suffix(".new"), path)
    np.testing.assert_array_equal(images[:], expected)


def test_a_shard_that_is_written_over_is_noticed(prepared, copy):
    images = opened(copy).arrays()[0]
    assert images[:].any()
    for path in shards(copy):
        path.write_bytes(os.urandom(path.stat().st_size))
    with pytest.raises(OSError, match=r"of-00005: .*Prepare or copy it again"):
        images[:]
