import gzip
import struct

import pytest
import tensorflow as tf

from keras_sagan.files import record_files

RECORDS = [b"a", b"bc" * 5000, b"def"]


@pytest.fixture
def path(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "x.tfrecord")) as writer:
        for record in RECORDS:
            writer.write(record)
    return tmp_path / "x.tfrecord"


def test_places(path):
    content = path.read_bytes()
    places = record_files.records(path)
    assert [content[start : start + size] for start, size in places] == RECORDS


def test_an_empty_file(tmp_path):
    (tmp_path / "x").touch()
    assert record_files.records(tmp_path / "x") == []


@pytest.mark.parametrize("size", [1, 11, 30, 10_000, 10_016, 10_051])
def test_truncated(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=rf"was truncated: .* into its {size} bytes"):
        record_files.records(path)


@pytest.mark.parametrize("length", [2**40, 2**63, 2**64 - 1, 2**64 - 16, 0])
def test_lengths_that_are_none(path, length):
    path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    with pytest.raises(ValueError, match=f"a record of {length} bytes at byte 0"):
        record_files.records(path)


def test_compressed(path):
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(ValueError, match="it is compressed: unpack it"):
        record_files.records(path)
