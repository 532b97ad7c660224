import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.cli.errors import UserError, user_errors


@pytest.mark.parametrize("kind", [ValueError, FileExistsError, RuntimeError])
def test_complaints_become_user_errors(kind):
    with pytest.raises(UserError, match="too small") as caught, user_errors():
        raise kind("too small")
    assert isinstance(caught.value.__cause__, kind)


def test_what_no_memory_holds():
    with pytest.raises(UserError, match="there is not enough memory: Unable to"):
        with user_errors():
            np.empty((2**50, 2**10), np.uint8)


def test_what_tensorflow_could_not_do_is_one(tmp_path):
    (tmp_path / "x.tfrecord").write_bytes(b"damaged" * 10)
    with pytest.raises(UserError, match="DataLossError"), user_errors():
        list(tf.data.TFRecordDataset(str(tmp_path / "x.tfrecord")))


@pytest.mark.parametrize("kind", [TypeError, KeyboardInterrupt])
def test_other_errors_stay(kind):
    with pytest.raises(kind), user_errors():
        raise kind
