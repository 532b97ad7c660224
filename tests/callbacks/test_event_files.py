import pytest
import tensorflow as tf

from keras_sagan.callbacks import event_files
from tests.callbacks.event_points import event_points


def write(writer, *steps):
    for step in steps:
        with writer.at(step):
            tf.summary.scalar("loss", float(step))


def steps(directory):
    return [step for step, _ in event_points(directory).get("loss", [])]


@pytest.fixture
def writer(tmp_path):
    made = event_files.EventWriter(tmp_path / "logs")
    yield made
    made.close()


def test_points_are_there_at_once(writer):
    write(writer, 1, 2)
    assert steps(writer.directory) == [1, 2]


def test_a_file_that_was_removed_is_followed_by_another(writer):
    write(writer, 1)
    [path] = writer.directory.iterdir()
    path.unlink()
    write(writer, 2, 3)
    assert steps(writer.directory) == [2, 3]
    path.parent.rename(path.parent.with_name("elsewhere"))
    write(writer, 4)
    assert steps(writer.directory) == [4]


def test_later_points_are_dropped_and_the_file_stays_one(writer):
    write(writer, 1, 2, 3)
    writer.close()
    [path] = writer.directory.iterdir()
    assert event_files.keep_until(writer.directory, 2) == {1, 2}
    assert steps(writer.directory) == [1, 2]
    assert list(writer.directory.iterdir()) == [path]
    unchanged = path.stat().st_mtime_ns
    assert event_files.keep_until(writer.directory, 2) == {1, 2}
    assert path.stat().st_mtime_ns == unchanged
    assert event_files.keep_until(writer.directory, -1) == set()
    assert steps(writer.directory) == []


def test_a_point_that_was_cut_off_is_dropped(writer):
    write(writer, 1, 2)
    writer.close()
    [path] = writer.directory.iterdir()
    path.write_bytes(path.read_bytes()[:-3])  # as a kill may leave it
    assert event_files.keep_until(writer.directory, 2) == {1}
    assert steps(writer.directory) == [1]


def test_a_directory_without_files(tmp_path):
    assert event_files.keep_until(tmp_path / "none", 3) == set()
