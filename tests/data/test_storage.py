import os

import numpy as np
import pytest

from keras_sagan.data.storage import allocate, data_dir, writable_dir


def test_small_arrays_stay_in_memory(tmp_path):
    array = allocate((2, 3), tmp_path / "unused")
    assert type(array) is np.ndarray
    assert array.dtype == np.uint8
    assert not (tmp_path / "unused").exists()


def test_large_arrays_are_mapped_and_leave_no_file(tmp_path):
    directory = tmp_path / "new" / "folder"
    array = allocate((5, 7), directory, memory_limit=34)
    assert isinstance(array, np.memmap)
    array[3] = 9
    assert array.sum() == 9 * 7
    assert os.listdir(directory) == []


def test_a_file_takes_over_above_the_limit_only(tmp_path):
    assert type(allocate((5, 7), tmp_path, memory_limit=35)) is np.ndarray


def test_a_full_disk_is_an_error_at_once(tmp_path):
    with pytest.raises(OSError):
        allocate((2**60,), tmp_path, memory_limit=0)


def test_data_dir(monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", "/from/environment")
    assert data_dir("/from/argument") == "/from/argument"
    assert data_dir() == "/from/environment"
    monkeypatch.delenv("TFDS_DATA_DIR")
    assert data_dir() == os.path.expanduser("~/tensorflow_datasets")


@pytest.fixture
def no_home(monkeypatch):
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", "/proc/none")


def test_without_a_home_there_is_a_directory_of_the_process(no_home):
    directory = writable_dir()
    assert os.path.isdir(directory) and directory == writable_dir()
    assert allocate((5, 7), directory, memory_limit=0).shape == (5, 7)


def test_a_home_that_can_be_written_to_is_used(no_home, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert writable_dir() == str(tmp_path / "tensorflow_datasets")
    assert os.path.isdir(writable_dir())


@pytest.mark.parametrize("how", ["argument", "environment", "scratch"])
def test_a_directory_that_cannot_be_made_is_named_with_the_way_out(
    no_home, how, monkeypatch
):
    monkeypatch.setenv("TFDS_DATA_DIR", "/proc/named")
    message = r"cannot be kept in '/proc/.*: No such file.*--cache-dir.*TFDS_DATA_DIR"
    with pytest.raises(OSError, match=message):
        if how == "scratch":
            allocate((5, 7), data_dir(), memory_limit=0)
        else:
            writable_dir("/proc/given" if how == "argument" else None)
