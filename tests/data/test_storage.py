import os

import numpy as np
import pytest

from keras_sagan.data.storage import allocate, data_dir


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
