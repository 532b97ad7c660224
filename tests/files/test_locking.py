import pytest

from keras_sagan.files.locking import only_one_process


def test_one_process_at_a_time(tmp_path):
    with only_one_process(tmp_path, "training"):
        with (
            pytest.raises(BlockingIOError, match="Another process is training"),
            only_one_process(tmp_path, "training"),
        ):
            pass
    with only_one_process(tmp_path, "training"):
        pass
    assert list(tmp_path.iterdir()) == []
