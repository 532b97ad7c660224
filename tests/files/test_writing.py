import errno

import pytest
import tensorflow as tf

from keras_sagan.files.writing import naming


def test_a_full_disk_has_a_name():
    with pytest.raises(OSError, match="No space left") as caught:
        with naming("/dev/full"), open("/dev/full", "w") as file:
            file.write("x")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, "/dev/full")


def test_names_stay(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, naming("other"):
        open(tmp_path / "missing")
    assert caught.value.filename == str(tmp_path / "missing")


def test_errors_of_tensorflow(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"logs") as caught, naming("logs"):
        tf.summary.create_file_writer(str(tmp_path / "file" / "x")).init()
    assert caught.value.filename == "logs"


def test_others_pass():
    with pytest.raises(ValueError), naming("x"):
        raise ValueError
