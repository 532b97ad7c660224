import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.serving import messages, tensors

ARRAYS = [
    np.float32([[1.5, -np.inf], [np.nan, 0.1]]),
    np.float64([0.1]),
    np.int32(-7),
    np.arange(24, dtype="uint8").reshape(2, 3, 4),
    np.int64([2**62, -(2**62)]),
    np.array([True, False]),
    np.array([b"\x89PNG\x00", b""], object),
    np.zeros((0, 3), "float32"),
]


def official(message):
    proto = tf.make_tensor_proto(0).__class__()
    proto.ParseFromString(message.SerializeToString())
    return proto


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype))
def test_tensorflow_reads_what_is_written(array):
    read = tf.make_ndarray(official(tensors.to_message(array)))
    assert read.dtype == array.dtype and read.shape == array.shape
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype))
def test_what_tensorflow_writes_is_read(array):
    proto = tf.make_tensor_proto(array)
    read = tensors.from_message(messages.Tensor.FromString(proto.SerializeToString()))
    assert read.dtype == array.dtype and read.shape == array.shape
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype))
def test_lists_of_values_are_read(array):
    """What TensorFlow Serving answers with: `Tensor::AsProtoField`."""
    message = tensors.to_message(array)
    message.ClearField("tensor_content")
    field = {"f": "float_val", "d": "double_val", "i": "int_val", "B": "int_val"}
    field |= {"l": "int64_val", "?": "bool_val", "O": "string_val"}
    message.ClearField("string_val")
    getattr(message, field[array.dtype.char]).extend(array.ravel().tolist())
    np.testing.assert_array_equal(tensors.from_message(message), array)


def test_a_short_list_repeats_its_last_value():
    message = messages.Tensor(dtype=9, int64_val=[4, 7])
    message.tensor_shape.dim.add(size=4)
    assert tensors.from_message(message).tolist() == [4, 7, 7, 7]
    message.ClearField("int64_val")
    assert tensors.from_message(message).tolist() == [0, 0, 0, 0]


def test_too_many_values():
    message = messages.Tensor(dtype=9, int64_val=[4, 7])
    with pytest.raises(ValueError, match=r"at most 1 values. Received: 2"):
        tensors.from_message(message)


@pytest.mark.parametrize("shape", [[2**40], [2**20, 2**20], [-1], [3, -1, -4]])
def test_a_short_message_of_a_large_tensor(shape):
    message = messages.Tensor(dtype=9, int64_val=[4])
    for size in shape:
        message.tensor_shape.dim.add(size=size)
    with pytest.raises(ValueError, match=r"at most 1000 bytes. Received: the shape"):
        tensors.from_message(message, max_bytes=1000)


def test_types_without_a_message():
    with pytest.raises(ValueError, match=r"`array` must have .* Received: complex128"):
        tensors.to_message(np.complex128(1))
    with pytest.raises(ValueError, match="type 8 are not supported"):
        tensors.dtype_of_number(8)
    with pytest.raises(ValueError, match="DT_HALF are not supported"):
        tensors.dtype_of_name("DT_HALF")


def test_types_are_numbered_as_in_tensorflow():
    for dtype in ("float32", "float64", "int32", "uint8", "int64", "bool"):
        assert tensors.dtype_of_number(tf.as_dtype(dtype).as_datatype_enum) == dtype
    assert tensors.dtype_of_number(tf.string.as_datatype_enum) == tensors.STRING
    assert tensors.dtype_of_name("DT_STRING") == tensors.STRING
