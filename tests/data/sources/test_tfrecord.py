"""TFRecord files as TensorFlow writes them, whole and harmed."""

import io
import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_sagan.data import check, load


def png(value):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (value, 0, 0)).save(file, "PNG")
    return file.getvalue()


def feature(value):
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


def example(**values):
    features = {key.replace("__", "/"): feature(value) for key, value in values.items()}
    whole = tf.train.Features(feature=features)
    return tf.train.Example(features=whole).SerializeToString()


def write(path, records):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    return path


@pytest.fixture
def folder(tmp_path):
    """Two files of four pictures of three classes, named as TensorFlow's tools do."""
    root = tmp_path / "set"
    root.mkdir()
    for shard in (0, 1):
        rows = range(4 * shard, 4 * shard + 4)
        records = [
            example(image__encoded=png(i), image__class__label=i % 3, image__height=8)
            for i in rows
        ]
        write(root / f"train-{shard:05}-of-00002", records)
    return root


def reds(images):
    return images[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("memory", [0, 1], ids=["files", "memory"])
def test_pictures_and_labels(folder, memory):
    source = load(f"tfrecord:{folder}", 8, 4, data_memory=memory)
    images, labels = source.arrays()
    assert reds(images[:]) == list(range(8))
    np.testing.assert_array_equal(labels, np.arange(8) % 3)
    assert reds(images[np.array([7, 0, 4])]) == [7, 0, 4]
    part = load(f"tfrecord:{folder}", 8, 1, split="train[:25%]")
    assert reds(part.arrays()[0]) == [0, 1]


def test_names_of_features(tmp_path):
    records = [example(pixels=png(i), kind=b"dog" if i else b"cat") for i in range(3)]
    write(tmp_path / "x.tfrecord", records)
    source = load(f"tfrecord:{tmp_path}/x.tfrecord:image=pixels,label=kind", 8, 1)
    assert source.class_names == ("cat", "dog")
    np.testing.assert_array_equal(source.arrays()[1], [0, 1, 1])
    assert load(f"tfrecord:{tmp_path}:image=pixels", 8, 1).class_names is None
    with pytest.raises(ValueError, match=r"'image/encoded' or 'image'.*kind \(bytes_l"):
        load(f"tfrecord:{tmp_path}", 8, 1)
    with pytest.raises(ValueError, match=r"record 0: it must have a label.*'class'"):
        load(f"tfrecord:{tmp_path}:image=pixels,label=class", 8, 1)


def truncated(path):
    path.write_bytes(path.read_bytes()[:-20])
    return "was truncated: a record"


def changed(path):
    """One bit of a picture: TensorFlow's checksum."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 + 40] ^= 1
    path.write_bytes(content)
    return "record [12]: .*corrupt"


def endless(path):
    """A length that would fill the memory, with its checksum as it was."""
    path.write_bytes((2**40).to_bytes(8, "little") + path.read_bytes()[8:])
    return "a record of 1099511627776 bytes"


def other(path):
    write(path, [b"\xff\xff\xff"])
    return r"record 0: it is not a tf\.train\.Example"


def missing(path):
    path.unlink()
    return "train-00001-of-00002 is missing: 1 of 2"


@pytest.mark.parametrize(
    "harm", [truncated, changed, endless, other, missing], ids=lambda x: x.__name__
)
def test_faults(folder, harm):
    message = harm(folder / "train-00001-of-00002")
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        load(f"tfrecord:{folder}", 8, 1)
    assert "train-00001-of-00002" in str(error.value)


def test_a_file_that_is_written_over(folder):
    images = load(f"tfrecord:{folder}", 8, 4, data_memory=0).arrays()[0]
    path = folder / "train-00001-of-00002"
    path.write_bytes(os.urandom(path.stat().st_size))
    with pytest.raises(OSError, match=r"of-00002\[3\]: its shard has changed"):
        images[7]


def test_damaged_pictures_are_found_by_check(folder):
    write(folder / "train-00001-of-00002", [example(image=b"no picture", label=0)])
    problem, *_ = check(f"tfrecord:{folder}", 8).problems
    assert "train-00001-of-00002[0]: UnidentifiedImageError" in problem
